//! What can be done, by whom: one act is one decision and its commit.

/// Units of lines, as a client names them.
pub type Portions = &'static [(u32, i64)];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// The order writer gets this record, or gets it again.
    Write(usize),
    Pay,
    /// The provider takes the money of this attempt, whatever it said before.
    Take(usize),
    /// It says no to this attempt.
    SayNo(usize),
    /// Its yes is heard; and its no.
    HearYes(usize),
    HearNo(usize),
    Expire,
    Cancel(Portions),
    Dispatch,
    Deliver,
    AskReturn(Portions),
    /// A worker completes it when it is due.
    CompleteReturn(usize),
    ApproveReturn(usize),
    RejectReturn(usize),
    RefundByHand(i64),
    /// The provider gives this refund.
    Give(usize),
    /// That is heard.
    HearGiven(usize),
    /// Time goes on.
    Wait,
}

/// How much of each there may be.
pub struct Bounds {
    pub payments: usize,
    pub portions: &'static [Portions],
    /// Amounts that operators give back.
    pub by_hand: &'static [i64],
    pub most_by_hand: usize,
    pub returns: usize,
    /// Whether the provider gives refunds one after the other, the first that was asked for first.
    pub in_turn: bool,
}

/// Portions that no order has.
pub const IMPOSSIBLE: [Portions; 3] = [&[(0, 3)], &[(2, 1)], &[(0, 1), (0, 1)]];
/// Amounts that no order has.
pub const TOO_MUCH: [i64; 2] = [0, 2_601];

impl Act {
    /// The names of all of them.
    pub const KINDS: [&str; 18] = [
        "write",
        "pay",
        "take",
        "say no",
        "hear yes",
        "hear no",
        "expire",
        "cancel",
        "dispatch",
        "deliver",
        "ask return",
        "complete return",
        "approve return",
        "reject return",
        "refund by hand",
        "give",
        "hear given",
        "wait",
    ];

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Write(_) => "write",
            Self::Pay => "pay",
            Self::Take(_) => "take",
            Self::SayNo(_) => "say no",
            Self::HearYes(_) => "hear yes",
            Self::HearNo(_) => "hear no",
            Self::Expire => "expire",
            Self::Cancel(_) => "cancel",
            Self::Dispatch => "dispatch",
            Self::Deliver => "deliver",
            Self::AskReturn(_) => "ask return",
            Self::CompleteReturn(_) => "complete return",
            Self::ApproveReturn(_) => "approve return",
            Self::RejectReturn(_) => "reject return",
            Self::RefundByHand(_) => "refund by hand",
            Self::Give(_) => "give",
            Self::HearGiven(_) => "hear given",
            Self::Wait => "wait",
        }
    }

    /// Everything that can be tried on an order with so many records, payments, returns and refunds.
    pub fn all(
        bounds: &Bounds,
        records: usize,
        payments: usize,
        returns: usize,
        refunds: usize,
    ) -> Vec<Self> {
        let mut acts = vec![
            Self::Pay,
            Self::Expire,
            Self::Dispatch,
            Self::Deliver,
            Self::Wait,
        ];
        acts.extend((0..records).map(Self::Write));
        for at in 0..payments {
            acts.extend([
                Self::Take(at),
                Self::SayNo(at),
                Self::HearYes(at),
                Self::HearNo(at),
            ]);
        }
        for portions in bounds.portions.iter().chain(&IMPOSSIBLE) {
            acts.extend([Self::Cancel(portions), Self::AskReturn(portions)]);
        }
        for at in 0..returns {
            acts.extend([
                Self::CompleteReturn(at),
                Self::ApproveReturn(at),
                Self::RejectReturn(at),
            ]);
        }
        let amounts = bounds.by_hand.iter().chain(&TOO_MUCH);
        acts.extend(amounts.map(|amount| Self::RefundByHand(*amount)));
        for at in 0..refunds {
            acts.extend([Self::Give(at), Self::HearGiven(at)]);
        }
        acts
    }
}
