//! Serves one empty simulated cluster, to try `kubectl` on it.
//!
//! ```sh
//! cargo run -p ramen-sim --example serve -- 127.0.0.1:8001 &
//! kubectl --server http://127.0.0.1:8001 get namespaces
//! ```

use anyhow::Context as _;
use ramen_sim::cluster::Cluster;
use ramen_sim::front::http::Front;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let address = address.parse().context("the argument is no address such as 127.0.0.1:8001")?;
    let front = Front::serve(Cluster::in_real_time("simulated", 1), address).await?;
    println!("{}", front.url());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
