//! What only a server can show, as tests: `server_suite!(shop)` runs all of it, each case on the
//! fresh database that `shop` makes.

macro_rules! server_suite {
    ($shop:ident) => {
        $crate::stores::server_suite::server_cases! { $shop;
            opening {
                a_schema_that_is_not_there_or_another_is_said_so,
                several_migrate_at_once,
                nobody_hears_the_password,
                an_account_from_before_there_was_a_second_factor_gets_one,
                the_law_of_stock_holds_whoever_writes,
                the_clock_is_the_servers_wherever_it_is,
            }
            apart {
                writers_of_different_partitions_meet_at_the_same_items,
                of_all_who_want_an_order_at_once_one_gets_it,
                any_number_of_workers_may_sweep,
                a_zombie_that_wakes_up_writes_nothing,
                a_reader_sees_one_moment,
            }
            broken {
                a_connection_that_breaks_in_the_middle_leaves_nothing,
                whoever_loses_a_deadlock_begins_again,
                a_row_that_stays_locked_is_not_waited_for_forever,
                a_caller_that_gives_up_leaves_all_or_nothing,
                a_server_that_comes_back_is_used_again,
            }
            relays {
                several_relays_keep_every_key_in_order,
                what_a_relay_had_is_free_when_it_is_gone,
            }
            silence {
                a_silent_server_is_not_waited_for,
            }
        }
    };
}

macro_rules! server_cases {
    ($shop:ident; $($module:ident { $($case:ident),* $(,)? })*) => {$(
        mod $module {
            $crate::stores::server_suite::server_cases! { @module $shop $module { $($case),* } }
        }
    )*};
    (@module $shop:ident $module:ident { $($case:ident),* }) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let shop = crate::$shop().await;
            crate::stores::$module::$case(&shop).await;
        }
    )*};
}

pub(crate) use {server_cases, server_suite};
