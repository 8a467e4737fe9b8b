//! Access tokens: JWT (RFC 7519) signed with Ed25519 (RFC 8037).

use std::sync::Once;

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

/// Who issues, and for whom: a token of another service is none of ours.
const ISSUER: &str = "firstcome";
const AUDIENCE: &str = "firstcome-api";

/// Tokens whose signature was found right, remembered.
const REMEMBERED: u64 = 100_000;

/// Signs and checks access tokens with one key. A signature is checked once: doing it for each
/// request would cost more than all the rest of the request.
pub struct JwtTokens {
    header: Header,
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    jwks: String,
    known: Cache<String, Claims>,
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
    /// Tokens signed with the key of this seed, which the `kid` in their header names.
    #[must_use]
    pub fn new(seed: &[u8; 32]) -> Self {
        PROVIDER.call_once(|| {
            // Fails only when somebody else installed one, which nothing here does.
            let _ = ed25519::PROVIDER.install_default();
        });
        let public: VerifyingKey = SigningKey::from_bytes(seed).verifying_key();
        let x = ed25519::base64url(public.as_bytes());
        let kid = ed25519::thumbprint(&x);
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(kid.clone());
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // The time is checked against the caller's clock, not an ambient one.
        validation.validate_exp = false;
        let jwks = serde_json::json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x,
        }]});
        Self {
            header,
            signing: EncodingKey::from_ed_der(seed),
            checking: DecodingKey::from_ed_der(public.as_bytes()),
            validation,
            jwks: jwks.to_string(),
            known: Cache::new(REMEMBERED),
        }
    }

    /// The claims of a token whose signature, issuer and audience are right.
    fn read(&self, token: &str) -> Result<Claims, TokenRefused> {
        let body: Body = jsonwebtoken::decode(token, &self.checking, &self.validation)
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

impl AccessTokens for JwtTokens {
    fn issue(&self, claims: &Claims) -> Result<String, Fault> {
        let body = Body {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: claims.account.0,
            role: role_name(claims.role).to_owned(),
            sid: claims.session.map(|session| session.0),
            iat: claims.issued_at.timestamp(),
            exp: claims.expires_at.timestamp(),
        };
        jsonwebtoken::encode(&self.header, &body, &self.signing)
            .map_err(|error| Fault::corrupt("signing an access token", error))
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenRefused> {
        let claims = if let Some(claims) = self.known.get(token) {
            claims
        } else {
            let claims = self.read(token)?;
            self.known.insert(token.to_owned(), claims);
            claims
        };
        if claims.expires_at <= now {
            Err(TokenRefused::Expired)
        } else {
            Ok(claims)
        }
    }

    fn jwks(&self) -> String {
        self.jwks.clone()
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

    #[test]
    fn a_token_says_what_it_was_issued_for_until_it_is_over() {
        let tokens = JwtTokens::new(&[3; 32]);
        let token = tokens.issue(&claims()).unwrap();
        assert_eq!(tokens.verify(&token, now()), Ok(claims()));
        assert_eq!(
            tokens.verify(&token, now() + TimeDelta::minutes(15)),
            Err(TokenRefused::Expired)
        );
        assert!(tokens.jwks().contains("Ed25519"));
    }

    #[test]
    fn what_we_did_not_sign_is_refused() {
        let tokens = JwtTokens::new(&[3; 32]);
        let token = tokens.issue(&claims()).unwrap();
        let stranger = JwtTokens::new(&[4; 32]).issue(&claims()).unwrap();
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
}
