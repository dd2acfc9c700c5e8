//! `google.cloud.location`: there is one location.

use super::Shared;
use super::fault::Fault;
use super::queues::check_parent;
use crate::proto::location::{ListLocationsResponse, Location};

impl Shared {
    /// `project` is `projects/P`.
    pub(super) fn locations_of(&self, project: &str) -> Result<ListLocationsResponse, Fault> {
        let name = format!("{project}/locations/{}", self.config.location);
        let locations = vec![self.location_named(&name)?];
        Ok(ListLocationsResponse { locations, next_page_token: String::new() })
    }

    pub(super) fn location_named(&self, name: &str) -> Result<Location, Fault> {
        check_parent(name)?;
        let (_, id) = name.rsplit_once('/').ok_or(Fault::NotFound)?;
        if id != self.config.location {
            return Err(Fault::NotFound);
        }
        Ok(Location { name: name.to_owned(), location_id: id.to_owned() })
    }
}
