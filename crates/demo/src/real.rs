//! Real API servers for the story: one control plane per cluster.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, bail};
use ramen_sim::driver::Site;

/// Control planes that run as processes; they end when this is dropped.
pub struct RealServers {}

impl RealServers {
    pub async fn start(_names: &[&str], _out: &Path) -> Result<Self> {
        bail!("not yet")
    }
    pub fn sites(&self) -> BTreeMap<String, Arc<dyn Site>> {
        BTreeMap::new()
    }
    pub fn kubeconfigs(&self) -> BTreeMap<String, PathBuf> {
        BTreeMap::new()
    }
    pub fn pause(&self, _c: &str) -> Result<()> {
        Ok(())
    }
    pub fn resume(&self, _c: &str) -> Result<()> {
        Ok(())
    }
}
