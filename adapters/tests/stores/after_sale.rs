//! What comes after the sale: parts that are cancelled or come back, where a parcel goes, and the
//! records of what moved and who did what.

use domain::account::Role;
use domain::act::{Act, Alteration, Deed};
use domain::delivery::Address;
use domain::movement::{Cause, Movement};
use domain::order::{Order, OrderStatus, Portion};
use domain::page::{End, Window};
use domain::policy::ReturnPolicy;
use domain::ports::back_office::{AccountFilter, ActFilter, OrderFilter};
use domain::ports::orders::Committed;
use domain::return_request::ReturnStatus;
use domain::{ActId, ItemId, Quantity, ReturnId};

use super::bench::{
    Bench, LONG, account, at, buyer, calendar, captured, email, id, item_id, method, new_ids,
    order_id, pay, payment_id, placed, record, restock_key, won,
};

fn portion(line: u32, units: i64) -> Portion {
    Portion {
        line,
        quantity: Quantity::new(units).unwrap(),
    }
}

fn window() -> Window {
    Window {
        count: 50,
        from: End::First,
        after: None,
        before: None,
    }
}

/// A delivered order of two lines of one deal: two units and one.
async fn delivered(bench: &Bench) -> (ItemId, Order) {
    let (item, order) = placed(bench, 1, LONG).await;
    let order = bench.done(&pay(&order, 1)).await;
    let order = bench.done(&captured(&order, 1)).await;
    let sent = order.dispatch("T".to_owned(), &calendar(), at(1_500));
    let order = bench.done(&sent.unwrap()).await;
    let order = bench.done(&order.deliver(at(2_500)).unwrap()).await;
    (item, order)
}

const POLICY: ReturnPolicy = ReturnPolicy {
    days_to_request: 1,
    days_to_complete: 1,
};

async fn causes(bench: &Bench, item: ItemId) -> Vec<(Cause, i64, i64, i64)> {
    let page = bench.back_office.movements(item, &window()).await.unwrap();
    let mut movements: Vec<Movement> = page.rows.into_iter().map(|(_, row)| row).collect();
    movements.sort_by_key(|movement| movement.cause as u8);
    movements
        .iter()
        .map(|of| (of.cause, of.total, of.held, of.released))
        .collect()
}

pub async fn parts_of_an_order_are_cancelled(bench: Bench) {
    let (item, order) = placed(&bench, 1, LONG).await;
    let part = [portion(0, 1)];
    let step = order.cancel(&part, new_ids(1).refund, at(10)).unwrap();
    let twice = order.cancel(&part, new_ids(2).refund, at(10)).unwrap();
    let less = bench.done(&step).await;
    assert_eq!(less.status(), OrderStatus::PendingPayment);
    assert_eq!((less.lines[0].cancelled, less.refunds.len()), (1, 0));
    assert_eq!(bench.stock(item).await.held, 2);
    assert_eq!(bench.commit(&twice).await, Committed::Conflict);
    assert_eq!(bench.stock(item).await.held, 2, "one unit went back, once");

    let paid = bench.done(&pay(&less, 1)).await;
    assert_eq!(paid.payments[0].amount, won(3_000), "what is left of it");
    let paid = bench.done(&captured(&paid, 1)).await;
    let step = paid.cancel(&[portion(1, 1)], new_ids(3).refund, at(30));
    let less = bench.done(&step.unwrap()).await;
    assert_eq!(less.refunds[0].amount, won(1_500));
    assert_eq!(less.status(), OrderStatus::Paid);
    let none = less.cancel(&[], new_ids(4).refund, at(40)).unwrap();
    let none = bench.done(&none).await;
    assert_eq!(none.status(), OrderStatus::Cancelled);
    assert_eq!(none.refunds[1].amount, won(1_500));
    assert_eq!(bench.stock(item).await.held, 0);
    assert_eq!(bench.audit.buyers_off(9).await.unwrap(), []);
    let cancelled = (Cause::Cancelled, 0, -1, 1);
    assert_eq!(
        causes(&bench, item).await,
        [
            (Cause::Opened, 10, 0, 0),
            (Cause::Reserved, 0, 3, 0),
            cancelled,
            cancelled,
            cancelled
        ]
    );
}

pub async fn a_return_is_completed_once_when_it_is_due(bench: Bench) {
    let (item, order) = delivered(&bench).await;
    let id = ReturnId(id(9, 1));
    let rules = (&POLICY, &calendar());
    let asked = (&[portion(0, 2)][..], "it does not fit me");
    let step = order.request_return(id, asked, rules, at(2_600)).unwrap();
    let order = bench.done(&step).await;
    assert_eq!(
        bench.orders.order_of_return(id).await.unwrap(),
        Some(order.id)
    );
    let nothing = ReturnId(super::bench::id(9, 2));
    assert_eq!(bench.orders.order_of_return(nothing).await.unwrap(), None);
    assert_eq!(bench.orders.returns_due(at(2_999), 9).await.unwrap(), []);
    let due = bench.orders.returns_due(at(3_000), 9).await.unwrap();
    assert_eq!(due, [(order.id, id)]);
    assert_eq!(
        order.complete_return(id, new_ids(5).refund, false, at(2_999)),
        None
    );

    let one = order.complete_return(id, new_ids(5).refund, false, at(3_000));
    let other = order.complete_return(id, new_ids(6).refund, true, at(3_000));
    let done = bench.done(&one.unwrap()).await;
    assert_eq!(bench.commit(&other.unwrap()).await, Committed::Conflict);
    assert_eq!(done.returns[0].state.status(), ReturnStatus::Completed);
    assert_eq!((done.lines[0].returned, done.lines[1].returned), (2, 0));
    assert_eq!(done.refunds[0].amount, won(3_000));
    assert_eq!(bench.stock(item).await.held, 1);
    assert_eq!(bench.orders.returns_due(at(9_000), 9).await.unwrap(), []);
    let causes = causes(&bench, item).await;
    assert_eq!(causes.last(), Some(&(Cause::Returned, 0, -2, 2)));
}

pub async fn a_parcel_leaves_once_however_many_send_it(bench: Bench) {
    const PARCELS: u128 = 100;
    const WORKERS: usize = 4;
    let item = bench.general(1, 200).await;
    let mut orders = Vec::new();
    for number in 1..=PARCELS {
        orders.push(bench.paid(number, number, item).await);
    }
    let due = bench.orders.shipments_due(at(9_000), 200).await.unwrap();
    assert_eq!(due.len(), orders.len());
    let workers = (0..WORKERS).map(|worker| {
        let send = |order: &Order| {
            let tracking = format!("{worker}");
            order.dispatch(tracking, &calendar(), at(1_500)).unwrap()
        };
        let steps: Vec<_> = orders.iter().map(send).collect();
        let ledger = bench.orders.clone();
        tokio::spawn(async move { ledger.commit(&steps).await.unwrap() })
    });
    let mut sent = 0;
    for outcomes in futures_util::future::join_all(workers).await {
        let outcomes = outcomes.unwrap();
        sent += outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Committed::Done(_)))
            .count();
    }
    assert_eq!(sent, orders.len());
    for order in orders {
        assert_eq!(bench.order(order.id).await.version, order.version + 1);
    }
}

pub async fn a_rejected_return_says_why(bench: Bench) {
    let (item, order) = delivered(&bench).await;
    let id = ReturnId(id(9, 1));
    let asked = (&[][..], "it does not fit me");
    let rules = (&POLICY, &calendar());
    let step = order.request_return(id, asked, rules, at(2_600)).unwrap();
    let order = bench.done(&step).await;
    let mut step = order.reject_return(id, "It was worn.", at(2_700)).unwrap();
    let act = Act {
        id: ActId(super::bench::id(10, 1)),
        operator: buyer(500),
        at: at(2_700),
        deed: Deed::RejectReturn,
        subject: id.0,
        note: Some("It was worn.".to_owned()),
        changes: Alteration::of_order(&order, &step.next),
    };
    step.act = Some(act.clone());
    let order = bench.done(&step).await;
    assert_eq!(order.returns[0].state.status(), ReturnStatus::Rejected);
    assert_eq!(bench.stock(item).await.held, 3);
    assert_eq!(bench.orders.returns_due(at(9_000), 9).await.unwrap(), []);

    let other = Act {
        id: ActId(super::bench::id(10, 2)),
        at: at(2_800),
        deed: Deed::DropDeadLetter,
        subject: super::bench::id(11, 1),
        note: None,
        changes: Vec::new(),
        ..act
    };
    bench.back_office.record(&other).await.unwrap();
    let acts = async |filter: ActFilter| {
        let page = bench.back_office.acts(&filter, &window()).await.unwrap();
        let acts = page.rows.into_iter().map(|(_, act)| act);
        acts.collect::<Vec<_>>()
    };
    let stored = step.act.unwrap();
    assert_eq!(stored.changes.len(), 1, "the return's state");
    assert_eq!(acts(ActFilter::default()).await, [other, stored.clone()]);
    let of_it = ActFilter {
        subject: Some(id.0),
        operator: Some(buyer(500)),
    };
    assert_eq!(acts(of_it).await, [stored]);
    let by_nobody = ActFilter {
        operator: Some(buyer(501)),
        ..of_it
    };
    assert_eq!(acts(by_nobody).await, []);
}

pub async fn a_parcel_goes_where_its_buyer_said_last(bench: Bench) {
    let (_, order) = placed(&bench, 1, LONG).await;
    let to = |text: &str| Some(Address::new(text.to_owned()).unwrap());
    let first = order.pay(payment_id(1), method(), to("1 First Street"), at(10));
    let order = bench.done(&first.unwrap()).await;
    let [again, _] = super::bench::declined(&order, 1);
    let order = bench.done(&again).await;
    assert_eq!(order.delivery_address, to("1 First Street"));
    let second = order.pay(payment_id(2), method(), to("2 Second Street"), at(30));
    let order = bench.done(&second.unwrap()).await;
    let order = bench.done(&captured(&order, 2)).await;
    assert_eq!(order.delivery_address, to("2 Second Street"));
}

pub async fn a_seller_s_changes_are_explained_too(bench: Bench) {
    let item = bench.general(1, 10).await;
    for (number, change) in [(1, 5), (2, -3)] {
        let key = restock_key(number);
        bench
            .catalogue
            .restock(item, change, at(7), &key, None)
            .await
            .unwrap();
    }
    assert_eq!(
        causes(&bench, item).await,
        [
            (Cause::Opened, 10, 0, 0),
            (Cause::Restocked, 5, 0, 0),
            (Cause::Adjusted, -3, 0, 0)
        ]
    );
    for figures in bench.audit.stock(None, 9).await.unwrap() {
        assert!(figures.is_explained(), "{figures:?}");
    }
}

pub async fn operators_find_orders_and_accounts(bench: Bench) {
    let item = bench.general(1, 10).await;
    bench
        .write(&[record(1, 1, &[(item, 1)]), record(2, 2, &[(item, 1)])])
        .await;
    let order = bench.order(order_id(1)).await;
    let step = order.cancel(&[], new_ids(1).refund, at(10)).unwrap();
    bench.done(&step).await;
    let orders = async |filter: OrderFilter| {
        let page = bench.back_office.orders(&filter, &window()).await.unwrap();
        let mut ids: Vec<_> = page.rows.into_iter().map(|(_, order)| order.id).collect();
        ids.sort();
        ids
    };
    let any = OrderFilter::default;
    assert_eq!(orders(any()).await, [order_id(1), order_id(2)]);
    let cancelled = OrderFilter {
        states: vec![OrderStatus::Cancelled, OrderStatus::Expired],
        ..any()
    };
    assert_eq!(orders(cancelled).await, [order_id(1)]);
    let theirs = OrderFilter {
        buyer: Some(buyer(2)),
        ..any()
    };
    assert_eq!(orders(theirs).await, [order_id(2)]);
    let later = OrderFilter {
        placed_from: Some(at(6)),
        ..any()
    };
    assert_eq!(orders(later).await, []);
    let earlier = OrderFilter {
        placed_from: Some(at(5)),
        placed_before: Some(at(6)),
        ..any()
    };
    assert_eq!(orders(earlier).await.len(), 2);

    let admin = domain::account::Account {
        role: Role::Admin,
        ..account(3, "c@example.com")
    };
    let rehearsal = domain::account::Account {
        rehearsal: true,
        ..account(4, "d@example.com")
    };
    let all = [account(1, "a@example.com"), admin, rehearsal];
    assert!(bench.accounts.create(&all).await.unwrap());
    let accounts = async |filter: AccountFilter| {
        let page = bench
            .back_office
            .accounts(&filter, &window())
            .await
            .unwrap();
        let ids = page.rows.into_iter().map(|(_, account)| account.id);
        ids.collect::<std::collections::BTreeSet<_>>()
    };
    let everybody = accounts(AccountFilter::default()).await;
    assert_eq!(everybody, [buyer(1), buyer(3)].into(), "but for rehearsals");
    let admins = AccountFilter {
        role: Some(Role::Admin),
        ..AccountFilter::default()
    };
    assert_eq!(accounts(admins).await, [buyer(3)].into());
    let spelled = AccountFilter {
        email: Some(email("A@Example.com")),
        ..AccountFilter::default()
    };
    assert_eq!(accounts(spelled).await, [buyer(1)].into());
    assert_eq!(bench.stock(item_id(1)).await.held, 1);
}
