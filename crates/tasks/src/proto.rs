//! What is generated from `proto/`, and the descriptors that turn its messages into JSON and back.

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

pub(crate) use generated::google::cloud::{location, tasks::v2};
pub(crate) use generated::google::{longrunning, rpc};

#[expect(clippy::pedantic, clippy::allow_attributes, unreachable_pub, reason = "generated")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/proto.rs"));
}

/// The prefix of the type's name in an `Any`.
const TYPE_URL: &str = "type.googleapis.com";

pub(crate) static DESCRIPTORS: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let bytes: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
    DescriptorPool::decode(bytes).expect("the build wrote it")
});

/// Packs a message whose full name is known.
pub(crate) fn any(full_name: &str, message: &impl prost::Message) -> prost_types::Any {
    prost_types::Any { type_url: format!("{TYPE_URL}/{full_name}"), value: message.encode_to_vec() }
}
