//! Balances follow transactions.

use uuid::Uuid;

use super::super::Error;
use crate::db::Tx;
use crate::domain::account::Account;
use crate::domain::money::is_balance;
use crate::domain::violation::Violation;
use crate::store::accounts;

/// Moves the balances of accounts by so many centavos each and returns the accounts, in the order given.
///
/// They are written in order of id: two transactions that move the same accounts then meet at the first
/// one and wait, rather than each holding what the other needs. Limits are looked at once all are moved,
/// because an account may be named twice.
pub(super) async fn move_balances<const N: usize>(
    tx: &mut Tx,
    tenant: Uuid,
    moves: [(Uuid, i64); N],
) -> Result<[Account; N], Error> {
    let mut order: Vec<Uuid> = moves.iter().map(|(id, _)| *id).collect();
    order.sort();
    order.dedup();
    let mut touched = Vec::with_capacity(order.len());
    for id in order {
        let cents = moves.iter().filter(|(other, _)| *other == id).map(|(_, cents)| cents).sum();
        let account = accounts::adjust(tx, tenant, id, cents).await?;
        let account = account.ok_or_else(|| Error::from(Violation::unknown("account_id")))?;
        if !is_balance(account.balance_cents) {
            let message = "deixaria o saldo da conta fora dos limites";
            return Err(Violation::new("amount_cents", "balance_out_of_range", message).into());
        }
        touched.push(account);
    }
    let find = |id: Uuid| touched.iter().find(|account| account.id == id).cloned();
    Ok(moves.map(|(id, _)| find(id).expect("every account named was moved")))
}
