//! What a service finds in its environment.

use std::net::SocketAddr;

use anyhow::Result;
use mare_manifest::model::{Manifest, Service, Text};

use crate::data::Data;

/// Where the platform listens.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
    /// The stable address of every service.
    pub(crate) services: Vec<(String, SocketAddr)>,
}

impl Addresses {
    pub(crate) fn public_url(&self) -> String {
        url(self.public)
    }

    pub(crate) fn admin_url(&self) -> String {
        url(self.admin)
    }
}

fn url(mut address: SocketAddr) -> String {
    // "Any address" is where to listen, not where to go.
    if address.ip().is_unspecified() {
        address.set_ip([127, 0, 0, 1].into());
    }
    format!("http://{address}")
}

/// Everything but `PORT`, `HOST`, `MARE_SERVICE` and `MARE_INSTANCE`, which the driver sets per instance.
pub(crate) fn of(
    name: &str,
    service: &Service,
    manifest: &Manifest,
    addresses: &Addresses,
    data: &Data,
) -> Result<Vec<(String, Text)>> {
    let mut all = vec![
        ("MARE_PUBLIC_URL".to_owned(), Text::plain(addresses.public_url())),
        ("MARE_ADMIN_URL".to_owned(), Text::plain(addresses.admin_url())),
        ("MARE_TOKEN".to_owned(), Text::new(data.service_token()?, "${MARE_TOKEN}")),
        ("MARE_ISSUER".to_owned(), Text::plain(addresses.admin_url())),
        ("MARE_TASKS_PARENT".to_owned(), Text::plain(manifest.tasks.parent())),
    ];
    for (other, address) in addresses.services.iter().filter(|(other, _)| other != name) {
        let variable = format!("MARE_URL_{}", other.to_uppercase().replace('-', "_"));
        all.push((variable, Text::plain(format!("http://{address}"))));
    }
    if let Some(database) = &service.database {
        let url = manifest.databases.get(database).and_then(|database| database.url.clone());
        let url = match url {
            Some(url) => url,
            None => Text::plain(format!("sqlite:{}", data.database(database)?.display())),
        };
        all.push(("DATABASE_URL".to_owned(), url));
    }
    if let Some(redis) = &manifest.backends.redis {
        all.push(("REDIS_URL".to_owned(), redis.clone()));
    }
    all.extend(service.env.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(all)
}
