//! An X.509 certificate, of which the RSA key is all that is wanted.

use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RsaParameters,
    UnparsedPublicKey,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use webpki::EndEntityCert;

/// A certificate that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate(CertificateDer<'static>);

/// How what is signed is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
}

impl Certificate {
    /// Reads the first certificate in a PEM text.
    pub fn from_pem(pem: &[u8]) -> Option<Certificate> {
        let certificate = CertificateDer::from_pem_slice(pem).ok()?;
        EndEntityCert::try_from(&certificate).ok()?;
        Some(Certificate(certificate))
    }

    /// Whether its key made this signature (RSA, PKCS #1 v1.5).
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8], hash: Hash) -> bool {
        let Ok(certificate) = EndEntityCert::try_from(&self.0) else {
            return false;
        };
        certificate
            .verify_signature(hash.algorithm(), message, signature)
            .is_ok()
    }
}

impl Hash {
    fn algorithm(self) -> &'static dyn SignatureVerificationAlgorithm {
        match self {
            Hash::Sha1 => &SHA1,
            Hash::Sha256 => &SHA256,
        }
    }
}

/// TLS has no use for SHA-1 any more, so nobody else brings this along.
static SHA1: Rsa = Rsa {
    parameters: &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
    // sha1WithRSAEncryption, 1.2.840.113549.1.1.5, without parameters but NULL.
    signature: AlgorithmIdentifier::from_slice(&[
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00,
    ]),
};
static SHA256: Rsa = Rsa {
    parameters: &RSA_PKCS1_2048_8192_SHA256,
    signature: alg_id::RSA_PKCS1_SHA256,
};

struct Rsa {
    parameters: &'static RsaParameters,
    signature: AlgorithmIdentifier,
}

impl std::fmt::Debug for Rsa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RSA")
    }
}

impl SignatureVerificationAlgorithm for Rsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(self.parameters, public_key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}
