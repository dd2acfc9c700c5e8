//! What waits for a person, and what is like what.

use uuid::Uuid;

use crate::actions::Error;
use crate::categorise::{Descriptor, features, vector};
use crate::db::Db;
use crate::domain::categorised::Confidence;
use crate::domain::page::{DateAndId, Page, Slice};
use crate::domain::review::{Item, Similar};
use crate::store::{categories, embeddings, review, transactions};

pub async fn waiting(db: &Db, tenant: Uuid, slice: Slice<DateAndId>) -> Result<Page<Item>, Error> {
    let tx = &mut db.snapshot().await?;
    let rows = review::list(tx, tenant, &slice).await?;
    let tree = categories::tree(tx, tenant).await?;
    let items = rows.into_iter().map(|mut it| {
        // A category may have gone since it was proposed.
        it.others.retain(|other| tree.get(other.category_id).is_some());
        let suggestion = it.transaction.suggestion.clone();
        Item { transaction: it.transaction, suggestion, alternatives: it.others }
    });
    Ok(slice.page(items.collect(), |it| it.transaction.place()))
}

pub async fn count(db: &Db, tenant: Uuid) -> Result<i64, Error> {
    Ok(review::count(&mut db.snapshot().await?, tenant).await?)
}

/// How many transactions are compared, the newest first, and how many are read at once.
const COMPARED_MAX: usize = 50_000;
const CHUNK: usize = 2_000;

/// The `limit` transactions whose wordings are most like that of `id`, most alike first.
pub async fn similar(db: &Db, tenant: Uuid, id: Uuid, limit: usize) -> Result<Vec<Similar>, Error> {
    let tx = &mut db.snapshot().await?;
    let it = transactions::find(tx, tenant, id).await?.ok_or(Error::NotFound)?;
    let descriptor = Descriptor::read(&it.description, it.amount_cents);
    let wanted = vector::project(&features::of(&descriptor, it.amount_cents));
    let mut best: Vec<(Uuid, f32)> = Vec::with_capacity(limit + 1);
    let mut after = None;
    for _ in 0..COMPARED_MAX / CHUNK {
        let chunk = embeddings::list(tx, tenant, after, CHUNK).await?;
        for other in chunk.iter().filter(|other| other.place.id != id) {
            let Some(vector) = vector::from_bytes(&other.vector) else { continue };
            let similarity = vector::cosine(&wanted, &vector);
            let place = best.partition_point(|it| it.1 >= similarity);
            if similarity > 0.0 && place < limit {
                best.insert(place, (other.place.id, similarity));
                best.truncate(limit);
            }
        }
        after = chunk.last().map(|it| it.place);
        if chunk.len() < CHUNK {
            break;
        }
    }
    let ids: Vec<Uuid> = best.iter().map(|it| it.0).collect();
    let mut found = transactions::of_ids(tx, tenant, &ids).await?;
    let similar = best.into_iter().filter_map(|(id, similarity)| {
        let at = found.iter().position(|it| it.id == id)?;
        Some(Similar { transaction: found.swap_remove(at), similarity: Confidence::of(similarity.into()) })
    });
    Ok(similar.collect())
}
