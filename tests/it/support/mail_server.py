"""A mail server for tests: aiosmtpd, with TLS, logins, and whatever can go wrong.

Usage: mail_server.py '{"dir": "…", "tls": "none|starttls|implicit", "cert": "…", "key": "…",
                        "user": "…", "password": "…", "mechanisms": ["PLAIN"], "mode": "…"}'

It says `PORT n`, keeps each mail that it takes in `dir` as N.eml with its envelope in N.json, and ends
when its standard input does. Who a mail is to can say what happens: soft@…, hard@…. The file `mode` in
`dir`, where there is one, says what happens to all: refuse-sender, hang-connect, hang-data, hang-content,
hang-after, cut-content, soft-content,
hard-content.
"""

import asyncio
import base64
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

options = json.loads(sys.argv[1])
directory = options["dir"]


def mode():
    try:
        with open(os.path.join(directory, "mode"), encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return options.get("mode", "")


async def hang():
    """Answers no more, and says so by the file `hangs`."""
    with open(os.path.join(directory, "hangs"), "w", encoding="utf-8"):
        pass
    await asyncio.sleep(3600)


class Server(SMTP):
    async def _handle_client(self):
        if mode() == "hang-connect":
            await hang()
        await super()._handle_client()

    async def smtp_DATA(self, arg):
        if mode() == "hang-data":
            await hang()
        await super().smtp_DATA(arg)

    # A failing login must not be "handled": else nothing is answered.
    async def auth_XOAUTH2(self, _, args):
        blob = base64.b64decode(args[1]).decode()
        user, token = options["user"], options["password"]
        good = blob == f"user={user}\x01auth=Bearer {token}\x01\x01"
        return AuthResult(success=good, handled=False)


class Handler:
    def __init__(self):
        self.taken = 0

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if mode() == "refuse-sender":
            return "550 5.7.60 you may not send as this sender"
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("soft@"):
            return "451 4.3.0 try again later"
        if address.startswith("hard@"):
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        what = mode()
        if what == "hang-content":
            await hang()
        if what == "soft-content":
            return "452 4.2.2 mailbox full"
        if what == "hard-content":
            return "554 5.7.1 this looks like spam"
        self.taken += 1
        name = os.path.join(directory, str(self.taken))
        with open(name + ".tmp", "wb") as file:
            file.write(envelope.original_content)
        with open(name + ".json", "w", encoding="utf-8") as file:
            json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos,
                       "tls": session.ssl is not None or options.get("tls") == "implicit"}, file)
        os.rename(name + ".tmp", name + ".eml")
        if what == "hang-after":
            await hang()
        if what == "cut-content":
            server.transport.abort()
        return f"250 OK queued as {self.taken}"


def authenticator(server, session, envelope, mechanism, data):
    good = (data.login.decode() == options["user"] and data.password.decode() == options["password"])
    return AuthResult(success=good, handled=False)


async def main():
    context = None
    tls = options.get("tls", "none")
    if tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options["cert"], options["key"])
    wanted = options.get("mechanisms", [])
    handler = Handler()

    def server():
        arguments = {"hostname": "mail.example.com", "enable_SMTPUTF8": False, "ident": "test"}
        if tls == "starttls":
            arguments |= {"tls_context": context, "require_starttls": True}
        if wanted:
            known = {"PLAIN", "LOGIN", "XOAUTH2"}
            arguments |= {"auth_required": True, "auth_require_tls": tls == "starttls",
                          "authenticator": authenticator, "auth_exclude_mechanism": known - set(wanted)}
        else:
            arguments |= {"auth_exclude_mechanism": {"PLAIN", "LOGIN", "XOAUTH2"}}
        return Server(handler, **arguments)

    loop = asyncio.get_running_loop()
    wrapped = context if tls == "implicit" else None
    listening = await loop.create_server(server, "127.0.0.1", 0, ssl=wrapped)
    print("PORT", listening.sockets[0].getsockname()[1], flush=True)
    # Whoever started it is gone when this ends.
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
