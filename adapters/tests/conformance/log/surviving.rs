//! What outlives the process.

use super::*;

pub async fn records_and_positions_survive(world: &impl World) {
    let topics = [Topic::OrderAccepted];
    let log = world.log();
    let item = ItemId(fresh());
    let messages: Vec<_> = (0..10).map(|number| order(item, number)).collect();
    log.publish(&messages).await.unwrap();
    let mut first = member(&*log, PARTITIONS).await;
    let deliveries = read(&mut *first, 10).await;
    store(&mut *first, &deliveries[..3]).await;
    drop(first);
    let ends = log.ends(Topic::OrderAccepted).await.unwrap();

    let log = world.after_a_restart().await;
    assert_eq!(log.ends(Topic::OrderAccepted).await.unwrap(), ends);
    lag_becomes(&*log, Group::OrderWriter, &topics, 7).await;
    log.publish(&[order(item, 10)]).await.unwrap();
    let mut second = member(&*log, PARTITIONS).await;
    let deliveries = read(&mut *second, 8).await;
    assert_eq!(numbers(&deliveries), (3..11).collect::<Vec<_>>());
    assert_eq!(deliveries[7].offset, Offset(10), "offsets go on");
}

pub async fn dead_letters_are_counted(world: &impl World) {
    let log = world.log();
    log.publish(&orders(2)).await.unwrap();
    assert_eq!(log.dead_letters().await.unwrap(), 0);
    let mut member = member(&*log, PARTITIONS).await;
    for delivery in read(&mut *member, 2).await {
        let letter = DeadLetter {
            group: Group::OrderWriter,
            partition: delivery.partition,
            offset: delivery.offset,
            reason: "nobody can do this".to_owned(),
            attempts: 5,
        };
        log.put_aside(&letter).await.unwrap();
    }
    assert_eq!(log.dead_letters().await.unwrap(), 2);
    drop(member);
    let log = world.after_a_restart().await;
    assert_eq!(log.dead_letters().await.unwrap(), 2);
}
