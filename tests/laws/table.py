"""Which property tests show each law of CONTRIBUTING.md. All of them run in both strengths."""

from __future__ import annotations

LAWS: dict[str, tuple[str, ...]] = {
    "Conservation": (
        "tests.laws.test_laws:test_every_record_is_counted_once",
        "tests.fuzzing.test_cells:test_whoever_stands_in_a_drop_is_counted",
        "tests.transforms.test_forgetting:test_counts_balance_whoever_is_forgotten",
        "tests.chaos.test_promises:TestPromises",
    ),
    "Nothing changed, nothing sent": (
        "tests.laws.test_laws:test_nothing_changed_nothing_sent",
        "tests.laws.test_laws:test_one_changed_row_is_one_write",
        "tests.laws.test_laws:test_there_and_back",
        "tests.laws.test_learning:test_any_move_is_one_write",
        "tests.chaos.test_promises:TestPromises",
    ),
    "Acknowledged, then recorded": (
        "tests.chaos.test_machine:TestMachine",
        "tests.chaos.test_promises:TestPromises",
    ),
    "Rejected is not absent": (
        "tests.laws.test_laws:test_rejected_is_not_absent",
        "tests.fuzzing.test_cells:test_nobody_goes_for_the_dirt",
        "tests.chaos.test_promises:TestPromises",
    ),
    "Touch only what is ours": (
        "tests.laws.test_laws:test_what_vanishes_goes_only_when_a_person_says_so",
        "tests.laws.test_others:test_what_others_wrote_stays",
        "tests.chaos.test_promises:TestPromises",
        "tests.oneroster.test_merging:test_a_merge_says_all_that_we_say_and_keeps_all_else",
    ),
    "Parents first": (
        "tests.laws.test_parents:test_no_request_names_a_record_that_is_not_there_yet",
    ),
    "Bad rows are data, exceptions are decisions": (
        "tests.drops.test_tables:test_no_bytes_raise",
        "tests.fuzzing.test_bytes:test_no_letter_of_a_damaged_file_is_lost",
        "tests.fuzzing.test_bytes:test_a_damaged_zip_is_read_or_refused",
    ),
    "Nothing personal in logs": (
        "tests.laws.test_privacy:test_nobodys_name_is_printed_or_open_to_others",
        "tests.settings.test_targets:test_no_secret_is_ever_shown",
    ),
    "Never the wrong target": (
        "tests.settings.test_targets:test_a_target_is_named_and_gets_its_own_credentials",
    ),
}
