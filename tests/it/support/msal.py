"""Asks the emulator for tokens as Microsoft's own library does, which insists on TLS: so it stands in front.

Its first argument names a file with JSON: {"emulator": "http://…", "client": "…", "secret": "…",
"key": "app.key", "certificate": "app.pem", "tlsKey": "…", "tlsCertificate": "…"}. It prints what came back.
"""

import http.client
import http.server
import json
import os
import ssl
import sys
import threading
from urllib.parse import urlsplit

import msal

given = json.load(open(sys.argv[1]))
# It goes before what is said below, where the machine has one.
os.environ["REQUESTS_CA_BUNDLE"] = given["tlsCertificate"]
behind = urlsplit(given["emulator"]).netloc


class Front(http.server.BaseHTTPRequestHandler):
    def hand_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        emulator = http.client.HTTPConnection(behind)
        headers = dict(self.headers.items()) | {"X-Forwarded-Proto": "https"}
        emulator.request(self.command, self.path, body, headers)
        answer = emulator.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type"))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = hand_on

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(given["tlsCertificate"], given["tlsKey"])
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()


def ask(credential):
    app = msal.ConfidentialClientApplication(
        given["client"],
        client_credential=credential,
        authority=f"https://localhost:{server.server_port}/contoso.onmicrosoft.com",
        instance_discovery=False,
        verify=given["tlsCertificate"],
    )
    return app.acquire_token_for_client(["https://graph.microsoft.com/.default"])


certificate = {
    "private_key": open(given["key"]).read(),
    "public_certificate": open(given["certificate"]).read(),
}
print(json.dumps([ask(given["secret"]), ask("wrong"), ask(certificate)]))
