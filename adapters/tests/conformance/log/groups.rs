//! How groups share partitions and remember how far they came.

use futures_util::future::join_all;

use super::*;

pub async fn a_new_group_starts_at_the_beginning(world: &impl World) {
    let log = &*world.log();
    log.publish(&orders(20)).await.unwrap();
    let mut member = member(log, PARTITIONS).await;
    assert_eq!(numbers(&read(&mut *member, 20).await), up_to(20));
    is_quiet(&mut *member).await;
}

pub async fn a_group_goes_on_where_it_stored(world: &impl World) {
    let log = &*world.log();
    log.publish(&orders(20)).await.unwrap();
    let mut first = member(log, PARTITIONS).await;
    let deliveries = read(&mut *first, 20).await;
    store(&mut *first, &deliveries).await;
    drop(first);
    let mut second = member(log, PARTITIONS).await;
    is_quiet(&mut *second).await;
    log.publish(&[order(ItemId(fresh()), 77)]).await.unwrap();
    assert_eq!(numbers(&read(&mut *second, 1).await), [77]);
}

pub async fn what_was_not_stored_comes_again(world: &impl World) {
    let log = &*world.log();
    let item = ItemId(fresh());
    let messages: Vec<_> = (0..10).map(|number| order(item, number)).collect();
    log.publish(&messages).await.unwrap();
    let mut first = member(log, PARTITIONS).await;
    let deliveries = read(&mut *first, 10).await;
    store(&mut *first, &deliveries[..4]).await;
    drop(first);
    let mut second = member(log, PARTITIONS).await;
    assert_eq!(
        numbers(&read(&mut *second, 6).await),
        (4..10).collect::<Vec<_>>()
    );
}

pub async fn a_position_can_be_another(world: &impl World) {
    let log = &*world.log();
    let item = ItemId(fresh());
    let messages: Vec<_> = (0..10).map(|number| order(item, number)).collect();
    log.publish(&messages).await.unwrap();
    let mut member = member(log, PARTITIONS).await;
    let deliveries = read(&mut *member, 10).await;
    let partition = deliveries[0].partition;
    member.seek(partition, Offset(7)).await.unwrap();
    assert_eq!(numbers(&read(&mut *member, 3).await), [7, 8, 9]);
    member.seek(partition, Offset(0)).await.unwrap();
    assert_eq!(numbers(&read(&mut *member, 10).await), up_to(10));
}

pub async fn every_group_gets_everything(world: &impl World) {
    let log = &*world.log();
    let id = OrderId(fresh());
    let event = Message::Event(Event::of_order(id, 1, at(0), OrderEvent::Expired));
    log.publish(std::slice::from_ref(&event)).await.unwrap();
    for group in [Group::Payment, Group::Cancellation, Group::Mail] {
        let mut member = log.join(group, &[Topic::Orders]).await.unwrap();
        let deliveries = read(&mut *member, 1).await;
        assert_eq!(deliveries[0].content, Ok(event.clone()));
        store(&mut *member, &deliveries).await;
    }
}

/// The partitions of two members, after the second has joined the first, which had them all.
async fn shared(
    first: &mut dyn Consumer,
    second: &mut dyn Consumer,
) -> (Vec<Partition>, Vec<Partition>) {
    let mut kept: Vec<Partition> = Vec::new();
    let mut given = Vec::new();
    let mut revoked = Vec::new();
    let settled = async {
        while given.len() < PARTITIONS / 2 || revoked.len() < PARTITIONS / 2 {
            match first.poll(1).await.unwrap() {
                Polled::Assigned(more) => kept.extend(more),
                Polled::Revoked(gone) => revoked.extend(gone),
                Polled::Records(_) | Polled::Idle => {}
            }
            match second.poll(1).await.unwrap() {
                Polled::Assigned(more) => given.extend(more),
                Polled::Records(_) | Polled::Idle => {}
                Polled::Revoked(gone) => panic!("{gone:?} revoked"),
            }
        }
    };
    timeout(PATIENCE, settled).await.expect("shared in time");
    kept.retain(|partition| !revoked.contains(partition));
    (kept, given)
}

pub async fn members_share_the_partitions(world: &impl World) {
    let log = &*world.log();
    let topics = [Topic::OrderAccepted];
    let mut first = log.join(Group::OrderWriter, &topics).await.unwrap();
    let mut all = given(&mut *first, PARTITIONS).await;
    let mut second = log.join(Group::OrderWriter, &topics).await.unwrap();
    let (_, seconds) = shared(&mut *first, &mut *second).await;
    all.retain(|partition| !seconds.contains(partition));
    let firsts = all;
    assert_eq!(
        (firsts.len(), seconds.len()),
        (PARTITIONS / 2, PARTITIONS / 2)
    );

    let messages = orders(40);
    log.publish(&messages).await.unwrap();
    let mut read = Vec::new();
    let everything = async {
        while read.len() < 40 {
            for (member, own) in [(&mut first, &firsts), (&mut second, &seconds)] {
                if let Polled::Records(records) = member.poll(100).await.unwrap() {
                    assert!(records.iter().all(|record| own.contains(&record.partition)));
                    read.extend(records);
                }
            }
        }
    };
    timeout(PATIENCE, everything).await.expect("read in time");
    assert_eq!(numbers(&read), up_to(40), "each by one of them, once");
}

pub async fn a_partition_is_let_go_before_another_has_it(world: &impl World) {
    let log = &*world.log();
    let mut first = member(log, PARTITIONS).await;
    let mut second = log
        .join(Group::OrderWriter, &[Topic::OrderAccepted])
        .await
        .unwrap();
    let revoked = loop {
        match first.poll(1).await.unwrap() {
            Polled::Revoked(partitions) => break partitions,
            Polled::Idle => {}
            other => panic!("{other:?}"),
        }
    };
    // Until it polls again, the first may still be at work on them.
    is_quiet(&mut *second).await;
    let letting_go = async { first.poll(1).await.unwrap() };
    let taking = given(&mut *second, revoked.len());
    let (_, mut taken) = tokio::join!(letting_go, taking);
    taken.sort_unstable();
    let mut revoked = revoked;
    revoked.sort_unstable();
    assert_eq!(taken, revoked);
}

pub async fn what_was_done_is_stored_after_a_revocation(world: &impl World) {
    let log = &*world.log();
    log.publish(&orders(40)).await.unwrap();
    let mut first = member(log, PARTITIONS).await;
    let deliveries = read(&mut *first, 40).await;
    let mut second = log
        .join(Group::OrderWriter, &[Topic::OrderAccepted])
        .await
        .unwrap();
    loop {
        match first.poll(1).await.unwrap() {
            Polled::Revoked(_) => break,
            Polled::Idle => {}
            other => panic!("{other:?}"),
        }
    }
    store(&mut *first, &deliveries).await;
    let letting_go = async { first.poll(1).await.unwrap() };
    let (_, _) = tokio::join!(letting_go, given(&mut *second, PARTITIONS / 2));
    is_quiet(&mut *second).await;
}

pub async fn a_member_that_leaves_leaves_its_partitions(world: &impl World) {
    let log = &*world.log();
    let mut first = member(log, PARTITIONS).await;
    let mut second = log
        .join(Group::OrderWriter, &[Topic::OrderAccepted])
        .await
        .unwrap();
    let (_, seconds) = shared(&mut *first, &mut *second).await;
    drop(first);
    let rest = given(&mut *second, PARTITIONS - seconds.len()).await;
    assert!(rest.iter().all(|partition| !seconds.contains(partition)));
    log.publish(&orders(20)).await.unwrap();
    assert_eq!(numbers(&read(&mut *second, 20).await), up_to(20));
}

/// Reads and stores for a while, and returns the numbers.
async fn work(member: &mut dyn Consumer, polls: usize) -> Vec<u128> {
    let mut done = Vec::new();
    for _ in 0..polls {
        if let Polled::Records(records) = member.poll(7).await.unwrap() {
            store(member, &records).await;
            done.extend(numbers(&records));
        }
    }
    done
}

pub async fn a_takeover_leaves_no_gap_and_repeats_nothing(world: &impl World) {
    let log = &*world.log();
    let topics = [Topic::OrderAccepted];
    log.publish(&orders(300)).await.unwrap();
    let mut first = log.join(Group::OrderWriter, &topics).await.unwrap();
    let mut done = work(&mut *first, 10).await;
    let mut second = log.join(Group::OrderWriter, &topics).await.unwrap();
    // They come to share the partitions in the middle of it; then the first leaves.
    let (firsts, seconds) = tokio::join!(work(&mut *first, 12), work(&mut *second, 12));
    done.extend(firsts);
    done.extend(seconds);
    drop(first);
    let rest = async {
        while done.len() < 300 {
            done.extend(work(&mut *second, 1).await);
        }
    };
    timeout(PATIENCE, rest).await.expect("read in time");
    done.sort_unstable();
    assert_eq!(done, up_to(300), "each once");
    is_quiet(&mut *second).await;
}

pub async fn more_members_than_partitions_wait(world: &impl World) {
    let log = &*world.log();
    let topics = [Topic::OrderAccepted];
    let mut members = Vec::new();
    for _ in 0..=PARTITIONS {
        members.push(log.join(Group::OrderWriter, &topics).await.unwrap());
    }
    let mut owned = vec![0_usize; members.len()];
    let settled = async {
        while owned.iter().sum::<usize>() < PARTITIONS || owned.iter().any(|count| *count > 1) {
            let polls = members.iter_mut().map(|member| member.poll(1));
            for (polled, owned) in join_all(polls).await.into_iter().zip(&mut owned) {
                match polled.unwrap() {
                    Polled::Assigned(given) => *owned += given.len(),
                    Polled::Revoked(gone) => *owned -= gone.len(),
                    Polled::Records(_) | Polled::Idle => {}
                }
            }
        }
    };
    let settled = timeout(PATIENCE, settled).await;
    assert!(
        settled.is_ok(),
        "one each, and none for the last: {owned:?}"
    );
}

pub async fn the_lag_is_what_is_not_stored(world: &impl World) {
    let log = &*world.log();
    let topics = [Topic::OrderAccepted];
    log.publish(&orders(10)).await.unwrap();
    assert_eq!(log.lag(Group::OrderWriter, &topics).await.unwrap(), 10);
    let mut member = member(log, PARTITIONS).await;
    let deliveries = read(&mut *member, 10).await;
    assert_eq!(log.lag(Group::OrderWriter, &topics).await.unwrap(), 10);
    store(&mut *member, &deliveries).await;
    is_quiet(&mut *member).await;
    lag_becomes(log, Group::OrderWriter, &topics, 0).await;
    assert_eq!(
        log.lag(Group::Mail, &topics).await.unwrap(),
        10,
        "each its own"
    );
}
