//! What is published, and how it comes out.

use domain::EventId;
use domain::event::AccountEvent;
use domain::trace::TraceContext;

use super::traced::traced;
use super::*;

pub async fn offsets_have_no_gaps(world: &impl World) {
    let log = &*world.log();
    for message in orders(30) {
        log.publish(&[message]).await.unwrap();
    }
    log.publish(&orders(70)).await.unwrap();
    let mut member = member(log, PARTITIONS).await;
    let deliveries = read(&mut *member, 100).await;
    let mut next = BTreeMap::<Partition, i64>::new();
    for delivery in &deliveries {
        let next = next.entry(delivery.partition).or_default();
        assert_eq!(delivery.offset.0, *next);
        *next += 1;
    }
    assert!(next.len() > 1, "keys spread over partitions");
    let ends = log.ends(Topic::OrderAccepted).await.unwrap();
    assert_eq!(ends.len(), PARTITIONS);
    for (partition, end) in ends {
        assert_eq!(end.0, next.get(&partition).copied().unwrap_or(0));
    }
    for (_, end) in log.ends(Topic::Orders).await.unwrap() {
        assert_eq!(end, Offset(0), "another topic has offsets of its own");
    }
}

pub async fn a_key_keeps_its_order(world: &impl World) {
    let log = &*world.log();
    let items: Vec<_> = (0..5).map(|_| ItemId(fresh())).collect();
    for round in 0..10 {
        let messages: Vec<_> = items.iter().map(|item| order(*item, round)).collect();
        log.publish(&messages).await.unwrap();
    }
    let mut member = member(log, PARTITIONS).await;
    let mut seen = BTreeMap::<Uuid, (Partition, Vec<u128>)>::new();
    for delivery in read(&mut *member, 50).await {
        let Ok(Message::Order(record)) = &delivery.content else {
            panic!()
        };
        let item = record.draft.lines[0].item;
        let entry = seen
            .entry(item.0)
            .or_insert((delivery.partition, Vec::new()));
        assert_eq!(entry.0, delivery.partition);
        entry.1.push(number(&delivery));
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.values().all(|(_, numbers)| *numbers == up_to(10)));
}

pub async fn messages_come_as_they_went(world: &impl World) {
    let log = &*world.log();
    let (id, payment, refund) = (OrderId(fresh()), PaymentId(fresh()), RefundId(fresh()));
    let happened = [
        OrderEvent::Placed { expires_at: at(99) },
        OrderEvent::PaymentRequested { payment },
        OrderEvent::Paid { payment },
        OrderEvent::CaptureReturned { payment, refund },
        OrderEvent::Cancelled { refund: None },
        OrderEvent::Refunded { refund },
    ];
    let mut messages: Vec<_> = (1..)
        .zip(happened)
        .map(|(version, what)| Message::Event(Event::of_order(id, version, at(version), what)))
        .collect();
    let item = Event::of_item(ItemId(fresh()), 1, at(7), ItemEvent::Created);
    let proof = Event::verification_requested(VerificationId(fresh()), at(8));
    let id = EventId(fresh());
    let changed = Event::of_account(id, AccountId(fresh()), at(9), AccountEvent::PasswordChanged);
    messages.extend([item, proof, changed].map(Message::Event));
    let withdrawn = match order(ItemId(fresh()), 5) {
        Message::Order(record) => OrderRecord {
            verdict: Verdict::Withdrawn,
            ..record
        },
        Message::Event(_) => panic!(),
    };
    messages.push(Message::Order(withdrawn));
    log.publish(&messages).await.unwrap();

    let mut tail = log.join(Group::Mail, &Topic::ALL).await.unwrap();
    let deliveries = read(&mut *tail, messages.len()).await;
    assert_eq!(deliveries.len(), messages.len());
    for delivery in deliveries {
        let message = delivery.content.unwrap();
        assert_eq!(message.topic(), delivery.partition.topic);
        let at = messages.iter().position(|sent| *sent == message);
        messages.remove(at.expect("as it was sent, and once"));
        if let Message::Event(Event {
            what: What::Order { version, .. },
            ..
        }) = message
        {
            let earlier = messages.iter().any(|sent| match sent {
                Message::Event(Event {
                    what: What::Order { version: other, .. },
                    ..
                }) => *other < version,
                _ => false,
            });
            assert!(!earlier, "an order's events in order");
        }
    }
}

pub async fn a_trace_goes_along(world: &impl World) {
    let item = ItemId(fresh());
    let of_its_own = |trace, state: &str| TraceContext {
        trace,
        span: 3,
        is_sampled: true,
        state: state.to_owned(),
    };
    let event = |version, trace: Option<&TraceContext>| {
        let event = Event::of_item(item, version, at(0), ItemEvent::Edited);
        let trace = trace.cloned().map(Box::new);
        Message::Event(Event { trace, ..event })
    };
    let (one, two) = (of_its_own(1, ""), of_its_own(2, "vendor=7,other=8 9"));
    let log = world.log();
    let first = [event(1, None), event(2, Some(&one)), event(3, Some(&two))];
    log.publish(&first).await.unwrap();
    let then = [event(4, None), event(5, Some(&one)), order(item, 6)];
    traced(9, log.publish(&then)).await.unwrap();
    drop(log);

    let log = world.after_a_restart().await;
    let topics = [Topic::OrderAccepted, Topic::Items];
    let mut member = log.join(Group::Mail, &topics).await.unwrap();
    let mut traces = BTreeMap::new();
    for delivery in read(&mut *member, 6).await {
        let version = match delivery.content.unwrap() {
            Message::Event(event) => match event.what {
                What::Item { version, .. } => version,
                other => panic!("{other:?}"),
            },
            Message::Order(_) => 6,
        };
        traces.insert(version, delivery.trace.map(|trace| *trace));
    }
    assert_eq!(traces[&1], None);
    assert_eq!(traces[&2], Some(one.clone()));
    assert_eq!(traces[&3], Some(two));
    assert_eq!(traces[&5], Some(one), "its own, not its publisher's");
    for of_the_publisher in [4, 6] {
        let trace = traces[&of_the_publisher].as_ref().unwrap();
        assert_eq!((trace.trace, trace.is_sampled), (9, true));
    }
}

pub async fn nothing_is_published_of_nothing(world: &impl World) {
    let log = &*world.log();
    log.publish(&[]).await.unwrap();
    for (_, end) in log.ends(Topic::OrderAccepted).await.unwrap() {
        assert_eq!(end, Offset(0));
    }
}

pub async fn many_publishers_lose_nothing(world: &impl World) {
    let log = world.log();
    let publishers: Vec<_> = (0..40_u128)
        .map(|publisher| {
            let log = log.clone();
            tokio::spawn(async move {
                for number in 0..10 {
                    let message = order(ItemId(fresh()), publisher * 10 + number);
                    log.publish(&[message]).await.unwrap();
                }
            })
        })
        .collect();
    let mut reader = log
        .join(Group::OrderWriter, &[Topic::OrderAccepted])
        .await
        .unwrap();
    let deliveries = read(&mut *reader, 400).await;
    for publisher in publishers {
        publisher.await.unwrap();
    }
    assert_eq!(numbers(&deliveries), up_to(400));
    is_quiet(&mut *reader).await;
}

pub async fn a_poll_brings_no_more_than_asked_for(world: &impl World) {
    let log = &*world.log();
    log.publish(&orders(50)).await.unwrap();
    let mut member = member(log, PARTITIONS).await;
    let mut read = 0;
    while read < 50 {
        if let Polled::Records(records) = member.poll(3).await.unwrap() {
            assert!(records.len() <= 3);
            read += records.len();
        }
    }
}
