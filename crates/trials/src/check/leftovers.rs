//! What must not be left once everything is at rest.

use ramen_api::ramen::wire::event;
use ramen_sim::kinds;

use super::{one, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// The stores hold nothing of applications that are not protected any more. Where nobody knew which cluster was the home
/// copies stay, and people were told so; as they were when they deleted a DRPC without its policy.
pub(super) fn in_stores(universe: &Universe) -> Result<(), Violation> {
    let profiles: Vec<String> = universe.stores.profiles().map(str::to_owned).collect();
    for profile in profiles {
        for key in universe.stores.objects(&profile).into_keys() {
            let mut parts = key.split('/');
            let (Some(_), Some(app)) = (parts.next(), parts.next()) else { continue };
            let told = (app.to_owned(), event::DRPC_DELETED_WITHOUT_HOME.to_owned());
            let excused = universe.reported.contains(&told) || universe.left_behind.contains(app);
            if one(universe, HUB, &kinds::DRPC, "apps", app).is_none() && !excused {
                return violated(
                    "CS7 nothing is left in stores",
                    format!("{app} is not protected any more, but store {profile} has {key}"),
                );
            }
        }
    }
    Ok(())
}
