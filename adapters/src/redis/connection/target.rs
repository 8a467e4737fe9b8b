//! Which server to connect to. It is asked anew for every connection, so that a failover is
//! followed.

use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{
    Client, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisResult,
};

use super::Copies;
use crate::redis::settings::{Mode, RedisSettings};

pub(super) enum Target {
    /// Any of these, one after the other; there is at least one.
    Known { clients: Vec<Client>, next: usize },
    /// Whichever the Sentinels say.
    Sentinel {
        primary: Box<SentinelClient>,
        replica: Option<Box<SentinelClient>>,
    },
}

impl Target {
    pub fn of(settings: &RedisSettings, copies: Copies) -> RedisResult<Self> {
        match &settings.mode {
            Mode::Standalone { url } => Self::known(settings, std::slice::from_ref(url)),
            Mode::Cluster { nodes } => Self::known(settings, nodes),
            Mode::Sentinel { sentinels, primary } => {
                let ask = |kind| sentinel_client(settings, sentinels, primary, kind).map(Box::new);
                let replica = match copies {
                    Copies::Primary => None,
                    Copies::Replica => Some(ask(SentinelServerType::Replica)?),
                };
                Ok(Self::Sentinel {
                    primary: ask(SentinelServerType::Master)?,
                    replica,
                })
            }
        }
    }

    fn known(settings: &RedisSettings, servers: &[String]) -> RedisResult<Self> {
        let clients: RedisResult<Vec<Client>> = addresses(settings, servers)?
            .into_iter()
            .map(Client::open)
            .collect();
        Ok(Self::Known {
            clients: clients?,
            next: 0,
        })
    }

    /// The server to connect to now.
    pub async fn client(&mut self) -> RedisResult<Client> {
        match self {
            Self::Known { clients, next } => {
                let client = clients[*next % clients.len()].clone();
                *next += 1;
                Ok(client)
            }
            Self::Sentinel { primary, replica } => {
                if let Some(replica) = replica
                    && let Ok(client) = replica.async_get_client().await
                {
                    return Ok(client);
                }
                primary.async_get_client().await
            }
        }
    }
}

fn sentinel_client(
    settings: &RedisSettings,
    sentinels: &[String],
    primary: &str,
    kind: SentinelServerType,
) -> RedisResult<SentinelClient> {
    let own: RedisResult<Vec<ConnectionInfo>> =
        sentinels.iter().map(|sentinel| address(sentinel)).collect();
    let login = login(settings, RedisConnectionInfo::default());
    let servers = SentinelNodeConnectionInfo::default().set_redis_connection_info(login);
    SentinelClient::build(own?, primary.to_owned(), Some(servers), kind)
}

/// The addresses of these servers, with who logs in.
pub(super) fn addresses(
    settings: &RedisSettings,
    servers: &[String],
) -> RedisResult<Vec<ConnectionInfo>> {
    if servers.is_empty() {
        return Err((ErrorKind::InvalidClientConfig, "no server is named").into());
    }
    let with_login = |server: &String| {
        let address = address(server)?;
        let login = login(settings, address.redis_settings().clone());
        Ok(address.set_redis_settings(login))
    };
    servers.iter().map(with_login).collect()
}

fn address(server: &str) -> RedisResult<ConnectionInfo> {
    if server.contains("://") {
        server.into_connection_info()
    } else {
        format!("redis://{server}").into_connection_info()
    }
}

fn login(settings: &RedisSettings, mut login: RedisConnectionInfo) -> RedisConnectionInfo {
    if let Some(username) = &settings.username {
        login = login.set_username(username);
    }
    if let Some(password) = &settings.password {
        login = login.set_password(password.expose());
    }
    login
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Secret;

    fn settings(username: Option<&str>, password: Option<&str>) -> RedisSettings {
        let secret = |text| serde_json::from_value::<Secret>(text).unwrap();
        RedisSettings {
            namespace: String::new(),
            mode: Mode::Cluster { nodes: Vec::new() },
            username: username.map(str::to_owned),
            password: password.map(|text| secret(text.into())),
            command_timeout: Duration::from_secs(1),
        }
    }

    fn who(settings: &RedisSettings, server: &str) -> (String, Option<String>, Option<String>) {
        let found = addresses(settings, &[server.to_owned()]).unwrap();
        let login = found[0].redis_settings();
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let address = found[0].addr().to_string();
        (address, owned(login.username()), owned(login.password()))
    }

    #[test]
    fn servers_are_named_by_address_or_url() {
        let (nobody, shop) = (settings(None, None), settings(Some("shop"), Some("secret")));
        let at = |user: Option<&str>, password: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            ("a.example:7000".to_owned(), owned(user), owned(password))
        };
        assert_eq!(who(&nobody, "a.example:7000"), at(None, None));
        let url = "redis://me:mine@a.example:7000";
        assert_eq!(who(&nobody, url), at(Some("me"), Some("mine")));
        assert_eq!(who(&shop, url), at(Some("shop"), Some("secret")));
        assert_eq!(
            who(&shop, "a.example:7000"),
            at(Some("shop"), Some("secret"))
        );
        assert!(addresses(&nobody, &[]).is_err());
    }
}
