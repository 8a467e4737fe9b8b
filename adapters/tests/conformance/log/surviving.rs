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

pub async fn dead_letters_are_kept_in_order_and_counted(world: &impl World) {
    let log = world.log();
    let none = Kept {
        letters: Vec::new(),
        next: Offset(0),
    };
    assert_eq!(log.dead_letters(Offset(0)).await.unwrap(), 0);
    assert_eq!(log.kept(Offset(0), 9).await.unwrap(), none);
    log.publish(&orders(3)).await.unwrap();
    let mut member = member(&*log, PARTITIONS).await;
    let mut put_aside = Vec::new();
    for (attempts, delivery) in (1..).zip(read(&mut *member, 3).await) {
        let letter = DeadLetter {
            group: Group::OrderWriter,
            partition: delivery.partition,
            offset: delivery.offset,
            reason: "nobody can do this".to_owned(),
            attempts,
        };
        log.put_aside(&letter).await.unwrap();
        put_aside.push(letter);
    }
    drop(member);
    for log in [log, world.after_a_restart().await] {
        assert_eq!(log.dead_letters(Offset(0)).await.unwrap(), 3);
        let first = log.kept(Offset(0), 2).await.unwrap();
        assert_eq!(first.letters.len(), 2);
        assert_eq!(log.dead_letters(first.next).await.unwrap(), 1);
        let rest = log.kept(first.next, 2).await.unwrap();
        assert_eq!(log.dead_letters(rest.next).await.unwrap(), 0);
        let end = log.kept(rest.next, 2).await.unwrap();
        assert_eq!((end.letters, end.next), (Vec::new(), rest.next));
        let kept = [first.letters, rest.letters].concat();
        assert!(kept.iter().all(|kept| kept.record.is_some()));
        let letters: Vec<_> = kept.into_iter().map(|kept| kept.letter).collect();
        assert_eq!(letters, put_aside);

        // A place of a log that got further.
        let further = Offset(rest.next.0 + 1);
        assert_eq!(log.dead_letters(further).await.unwrap(), 3);
        assert_eq!(log.kept(further, 9).await.unwrap().letters.len(), 3);
    }
}

pub async fn a_dead_letter_can_be_published_again(world: &impl World) {
    let log = world.log();
    let item = ItemId(fresh());
    log.publish(&[order(item, 1), order(item, 2)])
        .await
        .unwrap();
    let mut member = member(&*log, PARTITIONS).await;
    let came = read(&mut *member, 2).await;
    let letter = DeadLetter {
        group: Group::OrderWriter,
        partition: came[0].partition,
        offset: came[0].offset,
        reason: "nobody can do this".to_owned(),
        attempts: 1,
    };
    log.put_aside(&letter).await.unwrap();
    let kept = log.kept(Offset(0), 1).await.unwrap().letters.remove(0);
    let record = kept.record.unwrap();
    log.publish_again(letter.partition, &record).await.unwrap();
    let again = read(&mut *member, 1).await.remove(0);
    assert_eq!(again.content, came[0].content);
    assert_eq!(again.partition, came[0].partition);
    assert_eq!(again.offset, Offset(2), "after the others of its key");
}
