//! The conformance suite of the stores, as tests: `suite!(open)` runs all of it, each case on the
//! fresh bench that `open` makes, beside what has to live as long.

macro_rules! suite {
    ($open:ident) => {
        $crate::stores::suite::cases! { $open;
            batches {
                an_accepted_order_is_written_whole,
                orders_are_taken_in_log_order_while_they_fit,
                an_admission_is_counted_once,
                a_buyer_stays_within_the_limit_over_all_orders,
                what_cannot_be_had_is_rejected_with_its_reason,
                a_writer_whose_partition_moved_writes_nothing,
                of_two_writers_at_once_one_writes,
                unreadable_records_still_move_the_position,
                a_batch_may_be_larger_than_a_statement,
                receipts_come_in_the_order_of_placing,
                orders_outlive_their_buyers,
            }
            steps {
                an_order_goes_from_payment_to_delivery,
                a_declined_payment_can_be_tried_again,
                a_payment_that_fails_too_late_gives_the_units_back,
                what_nobody_pays_expires,
                the_ledgers_clock_decides_between_payment_and_expiry,
                a_paid_order_can_be_cancelled_until_it_is_dispatched,
                a_capture_nobody_needs_goes_back,
                steps_of_one_commit_stand_for_themselves,
                stock_moves_once_for_all_steps_of_a_commit,
                what_is_overdue_comes_oldest_first,
                workers_find_what_takes_long,
                everybody_who_waits_gets_a_turn,
            }
            guards {
                a_step_that_comes_too_late_leaves_nothing,
                late_news_of_one_attempt_does_not_touch_another,
                two_steps_from_the_same_state_are_not_both_taken,
                a_guard_names_every_row_it_saw,
                of_many_who_change_an_order_at_once_one_does,
                a_key_is_used_once,
            }
            items {
                an_item_comes_back_as_it_was_made,
                keys_and_codes_are_taken_once,
                codes_are_compared_to_the_letter,
                many_items_are_added_or_none,
                an_edit_names_the_version_it_saw,
                the_gate_hears_of_a_window_and_not_of_a_name,
                a_restock_moves_the_total_within_its_bounds,
                restocks_at_once_all_count,
            }
            tellings {
                everything_is_told_with_all_its_buyers,
                what_changed_is_told_with_the_buyers_that_did,
            }
            lists {
                every_page_of_every_order_is_what_it_should_be,
                a_buyers_orders_come_newest_first_in_pages,
                filters_leave_what_they_name,
                names_are_searched_as_they_are_written,
                a_cursor_of_another_list_has_nothing_beside_it,
            }
            accounts {
                an_account_is_found_by_any_spelling_of_its_address,
                an_address_has_one_account,
                a_verification_is_used_once,
                a_password_hash_is_replaced_while_it_is_the_same,
                a_role_changes_once_and_with_its_act,
                rehearsal_buyers_vanish_without_a_trace_of_others,
            }
            changes {
                a_password_changes_once_and_ends_what_was_open,
                a_password_is_reset_with_one_proof,
                an_address_moves_with_two_proofs,
                a_profile_says_what_its_owner_said_last,
                who_changes_a_profile_undoes_nobody_elses_change,
                an_account_goes_with_what_is_personal,
            }
            verifications {
                the_newest_verification_counts,
                a_verification_is_for_one_purpose,
                of_many_who_use_one_a_single_one_does,
            }
            sessions {
                a_session_opens_for_the_password_that_was_proven,
                a_refresh_token_works_once,
                who_ends_a_session_is_heard,
                a_session_ends_once_however_many_end_it,
            }
            forgetting {
                sessions_go_when_they_are_over,
                ends_are_known_for_a_time,
                proofs_go_when_their_codes_are_void,
                used_keys_are_known_for_a_time,
            }
            wishlists {
                an_item_stands_on_a_wishlist_once,
                a_wishlist_is_read_newest_first_in_pages,
                a_wish_is_its_owners,
                a_wishlist_has_room_for_so_many,
                a_wishlist_goes_with_its_account,
                chosen_entries_are_found_for_their_owner,
                wishes_go_with_the_order_that_has_their_units,
                an_order_without_units_leaves_its_wishes,
                nobody_elses_wish_goes,
                wishes_of_a_large_batch_all_go,
                owners_may_change_what_the_writer_clears,
            }
            letters {
                a_letter_that_went_out_is_known,
                letters_are_forgotten_by_their_age,
                whoever_has_an_account_is_written_to,
            }
            payments {
                the_order_of_a_payment_is_found,
                what_a_provider_calls_a_payment_is_kept,
            }
            dead_letters {
                a_dead_letter_is_filed_once,
                a_dead_letter_is_settled_once_with_its_act,
                dead_letters_are_looked_through_by_group_and_state,
            }
            books {
                events_wait_in_the_order_they_were_committed,
                a_commit_wakes_the_relay,
                the_audit_adds_up_what_the_ledger_holds,
                the_audit_sees_the_money_of_every_order,
            }
            after_sale {
                parts_of_an_order_are_cancelled,
                a_return_is_completed_once_when_it_is_due,
                a_parcel_leaves_once_however_many_send_it,
                a_rejected_return_says_why,
                a_parcel_goes_where_its_buyer_said_last,
                a_seller_s_changes_are_explained_too,
                operators_find_orders_and_accounts,
            }
            traces {
                an_event_is_part_of_the_trace_it_was_committed_in,
                steps_committed_together_keep_apart_whose_they_are,
                an_order_that_is_written_keeps_its_own_trace,
            }
            chaos {
                whatever_happens_the_counts_agree,
            }
        }
    };
}

macro_rules! cases {
    ($open:ident; $($module:ident { $($case:ident),* $(,)? })*) => {$(
        $crate::stores::suite::cases! { @module $open $module { $($case),* } }
    )*};
    (@module $open:ident $module:ident { $($case:ident),* }) => {
        mod $module {
            $($crate::stores::suite::cases! { @case $open $module $case })*
        }
    };
    (@case $open:ident $module:ident $case:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let (bench, _keep) = crate::$open().await;
            crate::stores::$module::$case(bench).await;
        }
    };
}

pub(crate) use {cases, suite};
