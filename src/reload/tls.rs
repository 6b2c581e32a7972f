//! Reads a certificate chain and its key.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Tls;

/// The configuration of a listener that offers HTTP/2 and HTTP/1.1.
pub(super) fn server_config(tls: &Tls) -> anyhow::Result<Arc<ServerConfig>> {
    let named = |path: &std::path::Path| format!("`{}`", path.display());
    let chain = CertificateDer::pem_file_iter(&tls.cert)
        .and_then(Iterator::collect)
        .map_err(|error| anyhow!("{error:?}"))
        .with_context(|| named(&tls.cert))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .map_err(|error| anyhow!("{error:?}"))
        .with_context(|| named(&tls.key))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
