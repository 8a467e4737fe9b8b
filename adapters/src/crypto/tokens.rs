//! Access tokens: JWT (RFC 7519) signed with Ed25519 (RFC 8037).

use std::sync::{Arc, Once};

use arc_swap::ArcSwap;
use domain::account::Role;
use domain::ports::AccessTokens;
use domain::ports::secrets::{Claims, TokenRefused};
use domain::{AccountId, Fault, SessionId, Timestamp};
use ed25519_dalek::{SigningKey, VerifyingKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ed25519;
use super::keyring::Dated;

/// Who issues, and for whom: a token of another service is none of ours.
const ISSUER: &str = "firstcome";
const AUDIENCE: &str = "firstcome-api";

/// Tokens whose signature was found right, remembered.
const REMEMBERED: u64 = 100_000;

/// Signs access tokens with the key whose time it is, and checks them with the one that their header
/// names, always as `EdDSA`: what else a header asks for is never looked at. A signature is checked
/// once: doing it for each request would cost more than all the rest of the request.
pub struct JwtTokens {
    ring: ArcSwap<Ring>,
    validation: Validation,
}

/// The keys of a moment.
struct Ring {
    keys: Vec<Dated<Key>>,
    jwks: String,
    /// What was found right with these keys.
    known: Cache<String, Claims>,
}

/// One key, ready for use.
struct Key {
    kid: String,
    /// Its public half, as a JWK has it.
    x: String,
    signing: EncodingKey,
    checking: DecodingKey,
}

/// What stands in a token. Times in whole seconds, as the standard has them.
#[derive(Serialize, Deserialize)]
struct Body {
    iss: String,
    aud: String,
    sub: Uuid,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
    iat: i64,
    exp: i64,
}

static PROVIDER: Once = Once::new();

impl JwtTokens {
    /// Tokens signed with the keys of these seeds, which the `kid` in their header names.
    #[must_use]
    pub fn new(seeds: &[Dated<[u8; 32]>]) -> Self {
        PROVIDER.call_once(|| {
            // Fails only when somebody else installed one, which nothing here does.
            let _ = ed25519::PROVIDER.install_default();
        });
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // The time is checked against the caller's clock, not an ambient one.
        validation.validate_exp = false;
        Self {
            ring: ArcSwap::from_pointee(Ring::new(seeds, None)),
            validation,
        }
    }

    /// Tokens of one key, for ever.
    #[must_use]
    pub fn with(seed: [u8; 32]) -> Self {
        Self::new(&[Dated::first(seed)])
    }

    /// Takes other keys. Tokens of a key that is gone are refused from now on.
    pub fn replace(&self, seeds: &[Dated<[u8; 32]>]) {
        let before = self.ring.load();
        let ring = Ring::new(seeds, Some(before.as_ref()));
        self.ring.store(Arc::new(ring));
    }

    /// The claims of a token whose key, signature, issuer and audience are right.
    fn read(&self, ring: &Ring, token: &str) -> Result<Claims, TokenRefused> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenRefused::Invalid)?;
        let key = header.kid.and_then(|kid| ring.key(&kid));
        let key = key.ok_or(TokenRefused::Invalid)?;
        let body: Body = jsonwebtoken::decode(token, &key.checking, &self.validation)
            .map_err(|_| TokenRefused::Invalid)?
            .claims;
        let at = |second| Timestamp::from_timestamp(second, 0).ok_or(TokenRefused::Invalid);
        Ok(Claims {
            account: AccountId(body.sub),
            role: role(&body.role).ok_or(TokenRefused::Invalid)?,
            session: body.sid.map(SessionId),
            issued_at: at(body.iat)?,
            expires_at: at(body.exp)?,
        })
    }
}

impl Ring {
    /// What was found right before stays so, as long as no key has gone.
    fn new(seeds: &[Dated<[u8; 32]>], before: Option<&Self>) -> Self {
        let keys: Vec<_> = seeds
            .iter()
            .map(|seed| Dated {
                key: Key::new(&seed.key),
                from: seed.from,
            })
            .collect();
        let published = keys.iter().map(|dated| {
            let Key { kid, x, .. } = &dated.key;
            serde_json::json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x,
            })
        });
        let jwks = serde_json::json!({ "keys": published.collect::<Vec<_>>() });
        let mut ring = Self {
            jwks: jwks.to_string(),
            keys,
            known: Cache::new(REMEMBERED),
        };
        if let Some(before) = before {
            let mut known = before.keys.iter().map(|known| &known.key.kid);
            if known.all(|kid| ring.key(kid).is_some()) {
                ring.known = before.known.clone();
            }
        }
        ring
    }

    fn key(&self, kid: &str) -> Option<&Key> {
        let mut keys = self.keys.iter().map(|dated| &dated.key);
        keys.find(|key| key.kid == kid)
    }
}

impl Key {
    fn new(seed: &[u8; 32]) -> Self {
        let public: VerifyingKey = SigningKey::from_bytes(seed).verifying_key();
        let x = ed25519::base64url(public.as_bytes());
        Self {
            kid: ed25519::thumbprint(&x),
            x,
            signing: EncodingKey::from_ed_der(seed),
            checking: DecodingKey::from_ed_der(public.as_bytes()),
        }
    }
}

impl AccessTokens for JwtTokens {
    fn issue(&self, claims: &Claims) -> Result<String, Fault> {
        const DOING: &str = "signing an access token";
        let ring = self.ring.load();
        let current = Dated::current(&ring.keys, claims.issued_at);
        let key = &current
            .ok_or_else(|| Fault::corrupt(DOING, "there is no key"))?
            .key;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.kid.clone());
        let body = Body {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: claims.account.0,
            role: role_name(claims.role).to_owned(),
            sid: claims.session.map(|session| session.0),
            iat: claims.issued_at.timestamp(),
            exp: claims.expires_at.timestamp(),
        };
        jsonwebtoken::encode(&header, &body, &key.signing)
            .map_err(|error| Fault::corrupt(DOING, error))
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenRefused> {
        let ring = self.ring.load();
        let claims = if let Some(claims) = ring.known.get(token) {
            claims
        } else {
            let claims = self.read(&ring, token)?;
            ring.known.insert(token.to_owned(), claims);
            claims
        };
        if claims.expires_at <= now {
            Err(TokenRefused::Expired)
        } else {
            Ok(claims)
        }
    }

    fn jwks(&self) -> String {
        self.ring.load().jwks.clone()
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Customer => "CUSTOMER",
        Role::Seller => "SELLER",
        Role::Admin => "ADMIN",
    }
}

fn role(name: &str) -> Option<Role> {
    [Role::Customer, Role::Seller, Role::Admin]
        .into_iter()
        .find(|role| role_name(*role) == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use chrono::TimeDelta;

    fn now() -> Timestamp {
        "2026-05-04T03:00:00Z".parse().unwrap()
    }

    fn claims() -> Claims {
        Claims {
            account: AccountId(Uuid::from_u128(7)),
            role: Role::Seller,
            session: Some(SessionId(Uuid::from_u128(8))),
            issued_at: now(),
            expires_at: now() + TimeDelta::minutes(15),
        }
    }

    fn tokens(seed: u8) -> JwtTokens {
        JwtTokens::with([seed; 32])
    }

    #[test]
    fn a_token_says_what_it_was_issued_for_until_it_is_over() {
        let tokens = tokens(3);
        let token = tokens.issue(&claims()).unwrap();
        assert_eq!(tokens.verify(&token, now()), Ok(claims()));
        assert_eq!(
            tokens.verify(&token, now() + TimeDelta::minutes(15)),
            Err(TokenRefused::Expired)
        );
        assert!(tokens.jwks().contains("Ed25519"));
    }

    /// The header of a token signed with our key, with these changes; and its body.
    fn changed(header: &serde_json::Value, body: &serde_json::Value) -> String {
        use ed25519_dalek::Signer;
        let encode = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", encode(header), encode(body));
        let signature = SigningKey::from_bytes(&[3; 32]).sign(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("{signed}.{signature}")
    }

    fn part(token: &str, number: usize) -> serde_json::Value {
        let part = token.split('.').nth(number).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn what_we_did_not_sign_is_refused() {
        let tokens = tokens(3);
        let token = tokens.issue(&claims()).unwrap();
        let stranger = self::tokens(4).issue(&claims()).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let none = encode(r#"{"alg":"none","typ":"JWT"}"#);
        let hmac = encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let body = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let admin = encode(&String::from_utf8(body).unwrap().replace("SELLER", "ADMIN"));
        for forged in [
            stranger,
            format!("{none}.{}.", parts[1]),
            format!("{hmac}.{}.{}", parts[1], parts[2]),
            format!("{}.{admin}.{}", parts[0], parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            String::new(),
            "a.b.c".to_owned(),
            "…".repeat(100),
        ] {
            assert_eq!(
                tokens.verify(&forged, now()),
                Err(TokenRefused::Invalid),
                "{forged}"
            );
        }
    }

    #[test]
    fn a_header_chooses_among_our_keys_and_nothing_else() {
        let tokens = tokens(3);
        let token = tokens.issue(&claims()).unwrap();
        let (header, body) = (part(&token, 0), part(&token, 1));
        assert_eq!(tokens.verify(&changed(&header, &body), now()), Ok(claims()));

        // Signed by us, every one of them; yet no algorithm but ours is ever used, and no key that
        // a token brings along.
        let with = |key: &str, value: serde_json::Value| {
            let mut header = header.clone();
            header[key] = value;
            header
        };
        for algorithm in [
            "none", "HS256", "HS512", "ES256", "RS256", "PS256", "eddsa", "",
        ] {
            let token = changed(&with("alg", algorithm.into()), &body);
            let refused = tokens.verify(&token, now());
            assert_eq!(refused, Err(TokenRefused::Invalid), "{algorithm}");
        }
        let strange = self::tokens(4);
        let theirs: serde_json::Value = serde_json::from_str(&strange.jwks()).unwrap();
        for kid in [
            serde_json::Value::Null,
            "".into(),
            "../keys.json".into(),
            theirs["keys"][0]["kid"].clone(),
            7.into(),
        ] {
            let token = changed(&with("kid", kid.clone()), &body);
            let refused = tokens.verify(&token, now());
            assert_eq!(refused, Err(TokenRefused::Invalid), "{kid}");
        }
        let stranger = strange.issue(&claims()).unwrap();
        let mut parts: Vec<String> = stranger.split('.').map(str::to_owned).collect();
        let embedded = with("jwk", theirs["keys"][0].clone());
        parts[0] = URL_SAFE_NO_PAD.encode(embedded.to_string());
        let refused = tokens.verify(&parts.join("."), now());
        assert_eq!(refused, Err(TokenRefused::Invalid), "its own key");
    }

    #[test]
    fn another_services_tokens_are_none_of_ours() {
        let tokens = tokens(3);
        let token = tokens.issue(&claims()).unwrap();
        let (header, body) = (part(&token, 0), part(&token, 1));
        for (claim, value) in [
            ("iss", serde_json::json!("somebody")),
            ("aud", serde_json::json!("another-api")),
            ("aud", serde_json::json!(["another-api"])),
            ("role", serde_json::json!("ROOT")),
            ("sub", serde_json::json!("7")),
            ("exp", serde_json::json!("never")),
            ("iss", serde_json::Value::Null),
            ("exp", serde_json::Value::Null),
        ] {
            let mut body = body.clone();
            body[claim] = value;
            let refused = tokens.verify(&changed(&header, &body), now());
            assert_eq!(refused, Err(TokenRefused::Invalid), "{claim}");
        }
    }

    #[test]
    fn a_rotation_signs_nobody_out() {
        let tokens = tokens(3);
        let before = tokens.issue(&claims()).unwrap();
        let next = Dated {
            key: [5; 32],
            from: now() + TimeDelta::seconds(60),
        };
        // Another process that knows the next key already: its clock is a little ahead.
        let ahead = JwtTokens::new(&[Dated::first([3; 32]), next]);
        tokens.replace(&[Dated::first([3; 32]), next]);
        assert_eq!(tokens.issue(&claims()).unwrap(), before);
        let later = Claims {
            issued_at: next.from,
            ..claims()
        };
        let after = ahead.issue(&later).unwrap();
        assert_ne!(part(&before, 0)["kid"], part(&after, 0)["kid"]);
        assert_eq!(tokens.verify(&before, now()), Ok(claims()));
        assert_eq!(tokens.verify(&after, now()), Ok(later));
        let jwks = tokens.jwks();
        for token in [&before, &after] {
            assert!(jwks.contains(part(token, 0)["kid"].as_str().unwrap()));
        }
        tokens.replace(&[next]);
        assert_eq!(tokens.verify(&before, now()), Err(TokenRefused::Invalid));
        assert_eq!(tokens.verify(&after, now()), Ok(later));
    }
}
