//! What was committed in the course of what.

use std::collections::HashMap;

use domain::event::{Event, OrderEvent, What};
use domain::ports::orders::WriteBatch;
use domain::trace::TraceContext;
use futures_util::future::join_all;

use super::accounts::verification;
use super::bench::{Bench, LONG, at, batch, order_id, pay, placed, record};
use crate::traced::traced;

/// The traces of the events that wait, by what they are about.
async fn traces(bench: &Bench, of: impl Fn(&What) -> bool) -> HashMap<uuid::Uuid, Option<u128>> {
    let events = bench.take_all().await.events;
    let events = events.iter().filter(|event| of(&event.what));
    let trace_of = |event: &Event| event.trace.as_ref().map(|trace| trace.trace);
    events.map(|event| (event.key(), trace_of(event))).collect()
}

pub async fn an_event_is_part_of_the_trace_it_was_committed_in(bench: Bench) {
    let one = traced(1, bench.general(1, 1)).await;
    let two = bench.general(2, 1).await;
    let asked = verification(3, "kim@example.com", 0);
    let event = Event::verification_requested(asked.id, at(0));
    let proof = asked.id.0;
    let added = [(asked, event)];
    let asking = bench.verifications.add_verifications(&added);
    traced(3, asking).await.unwrap();
    let expected = [(one.0, Some(1)), (two.0, None), (proof, Some(3))];
    assert_eq!(traces(&bench, |_| true).await, expected.into());
}

pub async fn steps_committed_together_keep_apart_whose_they_are(bench: Bench) {
    const CALLERS: u128 = 24;
    let mut steps = Vec::new();
    for number in 1..=CALLERS {
        let (_, order) = placed(&bench, number, LONG).await;
        steps.push((number, pay(&order, number)));
    }
    let orders = &bench.orders;
    let callers = steps.chunks(3).map(|steps| async move {
        let one = |place: usize| std::slice::from_ref(&steps[place].1);
        // Nobody follows the last.
        let [a, b, _] = [0, 1, 2].map(|place| steps[place].0);
        let (a, b, c) = tokio::join!(
            traced(a, orders.commit(one(0))),
            traced(b, orders.commit(one(1))),
            orders.commit(one(2)),
        );
        for committed in [a, b, c] {
            assert_eq!(committed.unwrap().len(), 1);
        }
    });
    join_all(callers).await;
    let is_payment = |what: &What| match what {
        What::Order { happened, .. } => matches!(happened, OrderEvent::PaymentRequested { .. }),
        What::Account { .. } | What::Item { .. } | What::VerificationRequested { .. } => false,
    };
    let expected = (1..=CALLERS).map(|number| {
        let trace = (number % 3 != 0).then_some(number);
        (order_id(number).0, trace)
    });
    assert_eq!(traces(&bench, is_payment).await, expected.collect());
}

pub async fn an_order_that_is_written_keeps_its_own_trace(bench: Bench) {
    let item = bench.general(1, 2).await;
    let followed = TraceContext {
        trace: 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c,
        span: 0xb7ad_6b71_6920_3331,
        is_sampled: true,
        state: "vendor=7,other='\\8 9".to_owned(),
    };
    let records = [1, 2, 3].map(|number| record(number, number, &[(item, 1)]));
    let of_one = |number| (order_id(number), Box::new(followed.clone()));
    let batch = WriteBatch {
        // The third is rejected.
        traces: [of_one(1), of_one(3)].into(),
        ..batch(0, &records)
    };
    traced(9, bench.orders.write_batch(&batch)).await.unwrap();
    let events = bench.take_all().await.events;
    let trace_of = |number| {
        let mut events = events.iter();
        let event = events.find(|event| event.key() == order_id(number).0);
        event.unwrap().trace.as_deref()
    };
    let traces = [1, 2, 3].map(trace_of);
    assert_eq!(traces, [Some(&followed), None, Some(&followed)]);
}
