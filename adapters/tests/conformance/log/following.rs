//! Waiting for what comes.

use super::*;

pub async fn a_poll_waits_a_moment(world: &impl World) {
    let log = &*world.log();
    let mut member = member(log, PARTITIONS).await;
    let begun = Instant::now();
    is_quiet(&mut *member).await;
    let waited = begun.elapsed();
    let moment = Duration::from_millis(300)..Duration::from_secs(3);
    assert!(moment.contains(&waited), "{waited:?}");
}

pub async fn a_poll_wakes_up_at_once(world: &impl World) {
    let log = world.log();
    let mut member = member(&*log, PARTITIONS).await;
    // The first message of a process may take long on its way.
    log.publish(&orders(1)).await.unwrap();
    read(&mut *member, 1).await;
    let reading = tokio::spawn(async move {
        let deliveries = read(&mut *member, 1).await;
        (numbers(&deliveries), Instant::now())
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    log.publish(&[order(ItemId(fresh()), 5)]).await.unwrap();
    let published = Instant::now();
    let (numbers, read) = reading.await.unwrap();
    assert_eq!(numbers, [5]);
    let took = read.saturating_duration_since(published);
    assert!(took < Duration::from_millis(250), "{took:?}");
}

pub async fn a_tail_begins_at_the_end(world: &impl World) {
    let log = &*world.log();
    log.publish(&orders(20)).await.unwrap();
    let mut tails = Vec::new();
    for _ in 0..2 {
        tails.push(log.tail(&[Topic::OrderAccepted]).await.unwrap());
    }
    let new: Vec<_> = (100..110)
        .map(|number| order(ItemId(fresh()), number))
        .collect();
    log.publish(&new).await.unwrap();
    for tail in &mut tails {
        let deliveries = read(&mut **tail, 10).await;
        assert_eq!(numbers(&deliveries), (100..110).collect::<Vec<_>>());
    }
}

pub async fn a_tail_stores_nothing(world: &impl World) {
    let log = &*world.log();
    let topics = [Topic::OrderAccepted];
    let mut member = member(log, PARTITIONS).await;
    let mut tail = log.tail(&topics).await.unwrap();
    log.publish(&orders(5)).await.unwrap();
    let deliveries = read(&mut *tail, 5).await;
    store(&mut *tail, &deliveries).await;
    assert_eq!(log.lag(Group::OrderWriter, &topics).await.unwrap(), 5);
    let read = read(&mut *member, 5).await;
    assert_eq!(numbers(&read), up_to(5), "it took nothing from the group");
}

/// Shutdown and time limits cut polls off at any point.
pub async fn a_poll_that_is_cut_off_loses_nothing(world: &impl World) {
    let log = &*world.log();
    log.publish(&orders(60)).await.unwrap();
    let mut member = log
        .join(Group::OrderWriter, &[Topic::OrderAccepted])
        .await
        .unwrap();
    let (mut partitions, mut deliveries) = (0, Vec::new());
    let all = async {
        let mut limit = Duration::ZERO;
        while deliveries.len() < 60 {
            // Longer and longer, so that it ends somewhere else every time.
            limit += Duration::from_micros(20);
            match timeout(limit, member.poll(1)).await {
                Ok(Ok(Polled::Assigned(given))) => partitions += given.len(),
                Ok(Ok(Polled::Records(records))) => deliveries.extend(records),
                Ok(Ok(Polled::Idle)) | Err(_) => {}
                Ok(other) => panic!("{other:?}"),
            }
        }
    };
    timeout(PATIENCE, all).await.expect("read in time");
    assert_eq!(partitions, PARTITIONS);
    assert_eq!(numbers(&deliveries), up_to(60));
}
