//! What waits for a person, and what is like what.

use uuid::Uuid;

use crate::actions::Error;
use crate::categorise::{Descriptor, features, vector};
use crate::db::{Db, Tx};
use crate::domain::categorised::Confidence;
use crate::domain::page::{DateAndId, Page, Slice};
use crate::domain::review::{Item, Similar};
use crate::store::embeddings::Embedding;
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

/// Of those the worker made no vector of, such as what was there before there was a worker, so many get one here.
/// Each takes some 50 µs.
const MADE_MAX: usize = 4_000;

/// The `limit` transactions whose wordings are most like that of `id`, most alike first.
pub async fn similar(db: &Db, tenant: Uuid, id: Uuid, limit: usize) -> Result<Vec<Similar>, Error> {
    let tx = &mut db.snapshot().await?;
    let it = transactions::find(tx, tenant, id).await?.ok_or(Error::NotFound)?;
    let wanted = wording(&it.description, it.amount_cents);
    let search = Search { id, wanted, limit, may_make: MADE_MAX, best: Vec::with_capacity(limit + 1) };
    let search = if db.has_vectors() {
        in_database(tx, tenant, search).await?
    } else {
        one_by_one(tx, tenant, search).await?
    };
    let ids: Vec<Uuid> = search.best.iter().map(|it| it.0).collect();
    let mut found = transactions::of_ids(tx, tenant, &ids).await?;
    let similar = search.best.into_iter().filter_map(|(id, similarity)| {
        let at = found.iter().position(|it| it.id == id)?;
        Some(Similar { transaction: found.swap_remove(at), similarity: Confidence::of(similarity.into()) })
    });
    Ok(similar.collect())
}

/// Compares what the database finds nearest, and what has no vector yet.
async fn in_database(tx: &mut Tx, tenant: Uuid, search: Search) -> Result<Search, Error> {
    let mut found = embeddings::nearest(tx, tenant, &search.wanted, search.id, search.limit).await?;
    found.extend(embeddings::missing(tx, tenant, MADE_MAX).await?);
    search.over(found).await
}

/// Compares with the newest [`COMPARED_MAX`].
async fn one_by_one(tx: &mut Tx, tenant: Uuid, mut search: Search) -> Result<Search, Error> {
    let mut after = None;
    for _ in 0..COMPARED_MAX / CHUNK {
        let chunk = embeddings::list(tx, tenant, after, CHUNK).await?;
        let more = chunk.len() == CHUNK;
        after = chunk.last().map(|it| it.place);
        search = search.over(chunk).await?;
        if !more {
            break;
        }
    }
    Ok(search)
}

fn wording(description: &str, amount_cents: i64) -> Vec<f32> {
    vector::project(&features::of(&Descriptor::read(description, amount_cents), amount_cents))
}

/// A search under way.
struct Search {
    /// What is searched for, which is not found.
    id: Uuid,
    wanted: Vec<f32>,
    limit: usize,
    may_make: usize,
    /// Most alike first.
    best: Vec<(Uuid, f32)>,
}

impl Search {
    /// Compares with all of `others`, away from the threads that wait for the database.
    async fn over(mut self, others: Vec<Embedding>) -> Result<Self, Error> {
        let compared = tokio::task::spawn_blocking(move || {
            for other in &others {
                self.compare(other);
            }
            self
        });
        compared.await.map_err(|error| Error::Internal(error.into()))
    }

    fn compare(&mut self, other: &Embedding) {
        if other.place.id == self.id {
            return;
        }
        let stored = other.vector.as_ref().and_then(|bytes| vector::from_bytes(bytes));
        let vector = match stored {
            Some(vector) => vector,
            None if self.may_make > 0 => {
                self.may_make -= 1;
                wording(&other.description, other.amount_cents)
            }
            None => return,
        };
        let similarity = vector::cosine(&self.wanted, &vector);
        let place = self.best.partition_point(|it| it.1 >= similarity);
        if similarity > 0.0 && place < self.limit {
            self.best.insert(place, (other.place.id, similarity));
            self.best.truncate(self.limit);
        }
    }
}
