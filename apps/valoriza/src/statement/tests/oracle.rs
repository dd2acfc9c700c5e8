//! The crate ofx-rs as a second opinion, on the samples it can read.

use ofx_rs::document::{BankingMessageSet, CreditCardMessageSet};
use ofx_rs::parse;

use super::*;

#[test]
fn what_the_oracle_reads_we_read_the_same() {
    for name in ["itau.ofx", "inter.ofx", "nubank_cartao.ofx", "varias_contas.ofx"] {
        let bytes = sample(name);
        let document =
            parse(std::str::from_utf8(&bytes).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let banking = document.banking().into_iter().flat_map(BankingMessageSet::statement_responses);
        let cards = document.credit_card().into_iter().flat_map(CreditCardMessageSet::statement_responses);
        let lists = banking
            .filter_map(|it| it.response()?.transaction_list())
            .chain(cards.filter_map(|it| it.response()?.transaction_list()));
        let theirs: Vec<Vec<(String, i64, Option<String>)>> = lists
            .map(|list| {
                let row = |it: &ofx_rs::aggregates::StatementTransaction| {
                    let posted = it.date_posted().to_string().replace('-', "");
                    let amount = amount::parse(&it.amount().to_string(), Decimal::Point).unwrap();
                    (posted[..8].to_owned(), amount, Some(it.fit_id().to_string()))
                };
                list.transactions().iter().map(row).collect()
            })
            .collect();
        let row = |it: &Row| {
            (it.date.unwrap().strftime("%Y%m%d").to_string(), it.amount_cents.unwrap(), it.bank_id.clone())
        };
        let ours: Vec<Vec<_>> =
            read_sample(name).1.iter().map(|it| it.rows.iter().map(row).collect()).collect();
        assert_eq!(ours, theirs, "{name}");
    }
}
