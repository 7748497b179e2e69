//! Secrets at rest: encrypted under a key of the data directory's own.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::error::{Result, StoreError};

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;

/// Bytes that are never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps them.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Encrypts and decrypts under the key of a file.
pub(crate) struct Vault {
    cipher: XChaCha20Poly1305,
}

impl Vault {
    /// Reads the key file; makes it (readable by its owner only) unless `needed`, which says that
    /// something is encrypted under it already.
    pub(crate) fn open(path: &Path, needed: bool) -> Result<Self> {
        let key = match File::open(path) {
            Ok(file) => read_key(path, file)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if needed {
                    return Err(StoreError::SecretKeyMissing(path.to_owned()));
                }
                make_key(path)?
            }
            Err(source) => return Err(file_error(path, source)),
        };
        Ok(Self { cipher: XChaCha20Poly1305::new(&key.into()) })
    }

    /// Nonce and ciphertext of `secret`, which decrypts for the same `owner` only.
    pub(crate) fn seal(&self, owner: &str, secret: &Secret) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let payload = Payload { msg: secret.expose(), aad: owner.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| StoreError::OutOfRange("a secret"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// What [`Self::seal`] sealed for this `owner`.
    pub(crate) fn unseal(&self, owner: &str, sealed: &[u8]) -> Result<Secret> {
        let undecryptable = || StoreError::Undecryptable(owner.to_owned());
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(undecryptable)?;
        let payload = Payload { msg: sealed, aad: owner.as_bytes() };
        let secret = self.cipher.decrypt(&XNonce::from(*nonce), payload);
        secret.map(Secret).map_err(|_| undecryptable())
    }
}

fn read_key(path: &Path, mut file: File) -> Result<[u8; KEY_LEN]> {
    let mut bytes = Vec::new();
    let metadata = file.metadata().map_err(|source| file_error(path, source))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the secret key can be read by others: chmod 600");
    }
    file.read_to_end(&mut bytes).map_err(|source| file_error(path, source))?;
    let invalid = |_| StoreError::SecretKeyInvalid(path.to_owned());
    bytes.try_into().map_err(invalid)
}

/// Writes a fresh key so that a crash leaves either none or a whole one.
fn make_key(path: &Path) -> Result<[u8; KEY_LEN]> {
    let mut key = [0; KEY_LEN];
    random(&mut key)?;
    let temporary = path.with_extension("tmp");
    let write = || {
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(&key)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| file_error(path, source))?;
    Ok(key)
}

fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| StoreError::Randomness(error.to_string()))
}

fn file_error(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::File { path: path.to_owned(), source }
}
