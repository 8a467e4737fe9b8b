//! How often the workers do what they do, how long they wait, and when they give up. How much they
//! do at once stands with each of them.

/// Every period and limit, in milliseconds of the [`Clock`](domain::ports::Clock) unless it says
/// otherwise.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Between two looks for unpaid orders whose time is over.
    pub expiry_ms: u64,
    /// Between two looks for parcels that have to move.
    pub delivery_ms: u64,
    /// Between two looks for payments and refunds whose outcome is unknown for long.
    pub sweep_ms: u64,
    /// Between two looks for what can be forgotten.
    pub forget_ms: u64,
    /// Between two looks for dead letters that operators can't see yet.
    pub dead_letters_ms: u64,
    /// Between two looks for entries that were left in the edge queue.
    pub edge_ms: u64,
    /// How long an entry of the edge queue is left to whoever put it there.
    pub edge_age_ms: u64,
    /// How long the outbox relay waits for a commit before it looks anyway.
    pub outbox_ms: u64,
    /// Between two beats of the gate keeper.
    pub beat_ms: u64,
    /// Between two looks of the gate keeper for what has to heal.
    pub healing_ms: u64,
    /// Between two rounds of the gate keeper.
    pub keeper_ms: u64,
    /// What the order writer waits after a batch, so that the next one gathers.
    pub linger_ms: u64,
    /// Between two rounds, when the first found as much to do as it may do at once.
    pub breath_ms: u64,
    /// Waits between the attempts at a record. Their sum has to stay below the time after which the
    /// log gives a silent consumer's partitions away.
    pub retry: Waits,
    /// Attempts at a record, the first one included.
    pub attempts: u32,
    /// Dead letters in a row, nothing handled between them, that stop a consumer.
    pub dead_letters_in_a_row: u32,
    /// Waits before a worker that met a fault goes on.
    pub restart: Waits,
    /// How long a worker may be without a successful round before it counts as unwell.
    pub late_after_ms: i64,
    /// How long workers may take to leave after the shutdown signal, in real time.
    pub shutdown_ms: u64,
}

/// Waits that double from the first to the longest, each with jitter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waits {
    pub first_ms: u64,
    pub most_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            expiry_ms: 500,
            delivery_ms: 1_000,
            sweep_ms: 2_000,
            forget_ms: 10_000,
            dead_letters_ms: 1_000,
            edge_ms: 1_000,
            edge_age_ms: 3_000,
            outbox_ms: 1_000,
            beat_ms: 100,
            healing_ms: 500,
            keeper_ms: 1_000,
            linger_ms: 20,
            breath_ms: 10,
            retry: Waits {
                first_ms: 100,
                most_ms: 2_000,
            },
            attempts: 6,
            dead_letters_in_a_row: 10,
            restart: Waits {
                first_ms: 100,
                most_ms: 10_000,
            },
            late_after_ms: 30_000,
            shutdown_ms: 10_000,
        }
    }
}
