//! Signatures of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;

/// What a secret is long, decoded.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that sender and receiver share. `Debug` of ring's key shows nothing of it.
pub(crate) struct Key(hmac::Key);

impl Key {
    /// `whsec_` and base64.
    ///
    /// # Errors
    /// A sentence that goes behind the name of the file.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let advice = "make one with: echo \"whsec_$(openssl rand -base64 32)\"";
        let encoded = text
            .strip_prefix("whsec_")
            .ok_or_else(|| format!("holds no secret that begins with whsec_: {advice}"))?;
        let secret = BASE64
            .decode(encoded)
            .map_err(|_| format!("holds a secret that is not base64 after whsec_: {advice}"))?;
        if !LENGTHS.contains(&secret.len()) {
            return Err(format!(
                "holds a secret of {} bytes, not 24 to 64: {advice}",
                secret.len()
            ));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let signed = format!("{id}.{seconds}.{body}");
        format!("v1,{}", BASE64.encode(hmac::sign(&self.0, signed.as_bytes())))
    }
}

/// The headers: of every secret a signature, so that receivers can change from one to the next.
pub(crate) fn headers(
    keys: &[Key],
    id: &str,
    seconds: i64,
    body: &str,
) -> Vec<(&'static str, String)> {
    let signatures: Vec<String> = keys.iter().map(|key| key.sign(id, seconds, body)).collect();
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_that_other_programs_make() {
        let key = Key::parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let other = Key::parse("whsec_HxwdGhsYGRYXFBUSExAREA8ODQwLCgkIBwYFBAMCAQA=").unwrap();
        let body = "{\"type\":\"device.noncompliant\",\"timestamp\":\"2026-11-22T09:00:00Z\",\"data\":\
                    {\"device\":\"D007\"}}";
        let headers = headers(&[key, other], "msg_d007_4711", 1_795_510_800, body);
        let signatures: Vec<&str> = headers[2].1.split(' ').collect();
        assert_eq!(signatures[0], "v1,6A2dA17GMnmQiT5Tv8YvLvT3batzp9NYzbdUdnJ+Ykw=");
        assert_eq!(signatures.len(), 2);
        assert_ne!(signatures[0], signatures[1]);
        assert_eq!(headers[1], ("webhook-timestamp", "1795510800".to_owned()));
    }

    #[test]
    fn a_secret_is_one() {
        for (text, why) in [
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "begins with whsec_"),
            ("whsec_!", "not base64"),
            ("whsec_AAEC", "3 bytes"),
            ("whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "begins with whsec_"),
        ] {
            let refused = Key::parse(text).err().unwrap();
            assert!(refused.contains(why) && !refused.contains("AAEC"), "{refused}");
        }
    }
}
