//! Addresses of services: encrypted, or of this machine, since secrets go there.

use ureq::http::Uri;

use crate::edges::http_client::is_loopback_host;

/// Scheme and authority, without a final slash.
///
/// # Errors
/// Says of `key` what is wrong with it.
pub(super) fn base(key: &str, written: &str) -> Result<String, String> {
    let (uri, scheme) = secure(key, written)?;
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    if !bare {
        return Err(format!("`{key}`: {written} must have a scheme and a host only"));
    }
    Ok(format!("{scheme}://{authority}"))
}

/// A whole URL, without a fragment. The text is not in the error: it may hold a secret.
///
/// # Errors
/// Says of `key` what is wrong with it.
pub(super) fn whole(key: &str, written: &str) -> Result<String, String> {
    let shown = crate::domain::notify_settings::origin(written);
    let with_shown = |why: String| why.replace(written, shown);
    let (uri, _) = secure(key, written).map_err(with_shown)?;
    if written.contains('#') {
        return Err(format!("`{key}`: {shown}/… must have no fragment"));
    }
    Ok(uri.to_string())
}

fn secure(key: &str, written: &str) -> Result<(Uri, String), String> {
    let wrong = |why: &str| format!("`{key}`: {written} {why}");
    let uri: Uri = written.parse().map_err(|_| wrong("is not a URL"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong("is not a URL like https://fleet.example.com"));
    };
    if authority.as_str().contains('@') {
        return Err(wrong("must have a scheme and a host only"));
    }
    match scheme {
        "https" => {}
        "http" if is_loopback_host(authority.host()) => {}
        "http" => return Err(wrong("must begin with https://; plain http is for loopback only")),
        _ => return Err(wrong("must begin with https://")),
    }
    let scheme = scheme.to_owned();
    Ok((uri, scheme))
}
