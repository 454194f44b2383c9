//! The cases of the contract.

mod clients;
mod collecting;
mod cron_jobs;
mod deletes;
mod discovery;
mod errors;
mod fields;
mod forms;
mod lists;
mod namespaces;
mod patches;
mod reviews;
mod validation;
mod watches;
mod writes;

use futures::future::BoxFuture;

use crate::cluster::Cluster;

/// One thing that a client may rely on.
pub(crate) struct Case {
    /// Its name: the module, and what holds.
    pub(crate) name: &'static str,
    /// What is tried.
    pub(crate) run: fn(Cluster) -> BoxFuture<'static, ()>,
}

/// Lists the functions of the modules as cases.
macro_rules! cases {
    ($($module:ident { $($case:ident)* })*) => {
        vec![$($(Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            run: |cluster| Box::pin($module::$case(cluster)),
        },)*)*]
    };
}

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    let mut all = changing();
    all.extend(patching());
    all.extend(reading());
    all
}

/// What patches make of objects.
fn patching() -> Vec<Case> {
    cases! {
        patches {
            each_language_of_patches_is_spoken
            lists_with_keys_are_merged_by_kubectl
            what_is_new_to_a_list_goes_first
            a_patch_may_insist_on_a_version
            a_patch_of_the_status_leaves_the_spec
            a_patch_of_a_pods_status_leaves_its_owners
            many_patches_at_once_all_arrive
            an_apply_adds_nothing_of_its_own
            a_patch_that_does_not_fit_is_refused_as_such
            a_patch_that_is_too_large_in_a_field_names_it
            a_list_is_merged_where_its_kind_says_so
            a_json_patch_may_replace_what_is_not_there
            a_patch_that_can_not_be_read_is_refused
            an_operation_that_can_not_be_meant_is_refused
            a_directive_that_can_not_be_meant_is_refused
            a_patch_of_nothing_changes_nothing
            an_applied_field_that_nobody_knows_is_refused
            what_is_applied_has_each_element_once
            what_is_applied_again_is_no_write
            an_apply_for_an_object_that_has_gone_makes_no_other
            an_apply_without_labels_keeps_the_rest_of_the_metadata
            a_patch_does_not_take_the_metadata_away
            what_a_job_is_given_belongs_to_nobody
            an_index_of_a_json_patch_may_count_from_the_end
        }
    }
}

/// What becomes of objects.
fn changing() -> Vec<Case> {
    cases! {
        cron_jobs {
            support_all_operations
        }
        writes {
            a_new_object_has_a_name_an_id_and_a_beginning
            a_name_is_made_up
            what_the_server_writes_cannot_be_sent
            the_generation_counts_changes_of_the_spec
            a_change_that_changes_nothing_is_no_write
            the_later_of_two_writers_is_refused
            an_update_without_a_version_always_goes
            a_lease_is_updated_only_by_those_who_read_it
            metadata_that_never_changes_cannot_be_changed
            the_status_is_a_part_of_its_own
            a_job_selects_its_own_pods
            gates_keep_a_pod_back
            a_rehearsal_keeps_nothing
            secrets_are_written_as_text_and_read_as_bytes
            a_reference_to_an_owner_is_kept_once
            an_event_has_two_forms
            an_event_of_the_newer_form_goes_on_as_a_series
        }
        fields {
            those_that_nobody_knows_survive
            those_that_nobody_knows_are_refused_on_demand
            those_that_nobody_knows_are_taken_out_with_a_warning
            a_pod_has_the_defaults_of_kubernetes
            what_the_update_of_a_pod_leaves_out_is_as_it_was_by_default
            what_says_nothing_is_not_kept
            null_is_a_field_left_out_and_in_a_map_an_empty_text
        }
        deletes {
            a_delete_answers_what_it_did
            a_delete_may_insist
            a_delete_that_is_not_understood_deletes_nothing
            a_pod_is_evicted
            a_finalizer_holds_until_it_is_removed
            a_pod_is_given_time_to_end
            a_collection_is_deleted_by_selector
            the_first_namespaces_stay
        }
        collecting {
            in_the_background_dependents_follow
            in_the_foreground_dependents_go_first
            orphans_stay
            a_circle_of_owners_goes
            a_job_orphans_unless_told_otherwise
            a_dependent_stays_while_one_owner_does
            an_owner_that_never_was_is_no_owner
            what_may_not_be_collected_keeps_nobody_else
            what_is_in_no_namespace_has_no_owner_within_one
            a_namespace_takes_its_contents_along
        }
        namespaces {
            the_finalizers_are_a_part_of_their_own
            one_that_is_stuck_is_let_go
            pods_go_before_all_else
            one_waits_for_finalizers_of_its_own
            one_that_is_stuck_says_why
            whether_one_goes_is_not_for_clients_to_say
        }
        validation {
            metadata
            config_maps_and_secrets
            small_kinds
            jobs
            statuses_of_jobs
            changes
            where_pods_are_put
            pods
            containers
            what_containers_use
            volumes
            what_is_likely_not_meant
        }
    }
}

/// How they are found, and what is told of them.
fn reading() -> Vec<Case> {
    cases! {
        lists {
            labels_select
            fields_select
            pages_make_a_whole
            a_list_can_be_of_the_past
            the_list_of_a_namespace_that_is_not_there_is_empty
            of_a_parameter_that_is_there_twice_the_first_counts
        }
        watches {
            a_watch_goes_on_where_a_list_ended
            a_watch_begins_with_what_is_there
            a_selector_decides_what_is_seen
            a_watch_ends_when_it_was_asked_to
            a_list_can_be_streamed
            a_long_list_can_be_streamed
            watches_have_older_paths
            nothing_is_missed_while_many_write
        }
        errors {
            each_refusal_says_what_to_do
            paths_and_methods_that_are_not_served
            requests_that_contradict_themselves
            parameters_of_lists
        }
        forms {
            a_slash_at_the_end_of_a_path_means_nothing
            the_form_is_what_the_client_likes_best
            a_long_list_is_whole_in_every_form
            yaml_says_what_json_says
        }
        reviews {
            of_access_and_of_tokens
            a_service_account_that_is_not_there_has_no_token
        }
        discovery {
            clients_find_what_is_served
            clients_of_all_sorts_are_understood
            kinds_that_one_machine_has_not_are_known
        }
        clients {
            a_watcher_sees_what_happens
            a_streaming_watcher_sees_what_happens
            a_reflector_mirrors_the_server
            events_are_recorded
        }
    }
}
