//! Who is let in, and for how long they are answered.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::token::{Token, bearer};

/// An answer that takes longer than this is given up.
const ANSWER: Duration = Duration::from_secs(30);

/// Lets in clients that send the token, and gives up on answers that take too long; `refuse` says so
/// in the words of the route.
pub(super) async fn let_in(
    token: &Token,
    refuse: fn(StatusCode, &str) -> Response,
    request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|value| bearer(value.as_bytes()));
    if !token.admits(given.unwrap_or_default()) {
        let mut refused = refuse(StatusCode::UNAUTHORIZED, "a bearer token is required");
        let scheme = header::HeaderValue::from_static("Bearer");
        refused.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        return refused;
    }
    match tokio::time::timeout(ANSWER, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "the request took too long; ask for \
                                                           less",
        ),
    }
}
