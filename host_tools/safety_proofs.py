"""Which tests prove each row of the fault table, and what of it only a board can prove."""

SENSOR = "the sensor itself"
CUTS, SETTINGS_CUTS = "tests/model/test_power_cuts.py::", "tests/model/test_settings_cuts.py::"
BOOT, PULLED, UPDATE = (f"tests/end_to_end/test_{name}.py::" for name in ("boot", "power_cut", "update"))
UPDATES = "tests/model/test_updates.py::"
# id: (tests that prove it, with a blank between; what only a board can prove); tests/house_rules/test_safety.py looks
# for each of them
PROOFS = (
    ("S1", "tests/scenarios/unplug_while_charging.scenario", "the contactor's own time to open"),
    ("S2", "tests/scenarios/diode_lost_while_charging.scenario", "a real car's diode and ±12 V through the divider"),
    ("S3", "tests/scenarios/pilot_short_to_earth.scenario", "the pilot driver's current limit"),
    ("S4", "tests/scenarios/unplug_while_charging.scenario", ""),
    ("S5", "tests/model/test_hostile_port.py", "the ADC's own noise beside Wi-Fi"),
    ("S6", "tests/scenarios/letter_d.scenario", ""),
    ("S7", "tests/unit/test_conditions.py::test_proximity", "the divider of the proximity input"),
    ("S8", "tests/scenarios/measurement_stuck.scenario", "how an ESP32's ADC fails"),
    ("S9", "tests/unit/test_conditions.py::test_low_half_beyond_12_v_plus_drift", "drift of the ADC over temperature"),
    ("S10", "tests/unit/test_local.py::test_two_sessions_without_any_current", SENSOR),
    ("S11", "tests/unit/test_conditions.py::test_a_current_sensor_at_its_rail", SENSOR),
    ("S12a", "tests/scenarios/overdraws.scenario", "the current transformer's linearity"),
    ("S12b", "tests/unit/test_conditions.py::test_steps_at_16_amperes", "the current transformer's linearity"),
    ("S12c", "tests/unit/test_conditions.py::test_steps_at_16_amperes", "the current transformer's linearity"),
    ("S12h", "tests/unit/test_real_world.py::test_no_pattern_carries_more_than_its_rms_over_a_minute", ""),
    ("S12d", "tests/unit/test_conditions.py::test_wiring_limit_whatever_is_signalled", ""),
    ("S13a", "tests/unit/test_conditions.py::test_heat", "where in the box the NTC sits"),
    ("S13b", "tests/unit/test_conditions.py::test_heat", "where in the box the NTC sits"),
    ("S13c", "tests/unit/test_conditions.py::test_heat", ""),
    (
        "S14",
        "tests/unit/test_conditions.py::test_every_state_of_a_session",
        "that the sensor opens the coil in hardware",
    ),
    ("S14r", "tests/unit/test_conditions.py::test_retry_only_where_the_board_may_and_not_within_10_s_of_closing", ""),
    ("S15", "tests/unit/test_conditions.py::test_failed_self_test_alone", "the sensor's real answer to its test input"),
    ("S16", "tests/unit/test_conditions.py::test_earth_and_lid", "the earth detector, TN, TT and IT"),
    ("S17", "tests/unit/test_conditions.py::test_voltage_at_its_edges", "the voltage inputs' tolerance"),
    ("S17s", "tests/unit/test_conditions.py::test_start_needs_ten_seconds_or_a_minute", ""),
    (
        "S17p",
        "tests/unit/test_conditions.py::test_open_pen_only_where_it_is_guarded",
        "an open PEN; figures unconfirmed",
    ),
    ("S18", "tests/unit/test_conditions.py::test_earth_and_lid", "the lid switch"),
    (
        "K1",
        "tests/unit/test_conditions.py::test_any_live_pole_a_second_after_opening",
        "the detectors behind each pole",
    ),
    ("K2", "tests/unit/test_conditions.py::test_closed_on_every_wired_pole", "the contactor's bounce"),
    ("K3", "tests/unit/test_conditions.py::test_mirror_contact_that_stays", "the mirror contact"),
    ("K4", "tests/unit/test_conditions.py::test_relay_pin_that_stays_high", "that a tripped sensor drops the coil"),
    ("W1", "tests/unit/test_conditions.py::test_wear", "the rated life (50,000 is unconfirmed)"),
    ("W2", "tests/unit/test_conditions.py::test_three_hot_openings_in_30_days", ""),
    (
        "P1",
        "tests/end_to_end/test_demo.py::test_bench_and_owner tests/model/test_spread.py::test_power_return_is_spread "
        "tests/model/test_spread.py::test_charge_now_does_not_wait",
        "that the coil falls with its supply; the pins during reset, and 50 ms from the first code to safe outputs",
    ),
    (
        "P2",
        "tests/unit/test_flash_files.py::test_nothing_plain_in_the_first_minute "
        "tests/unit/test_flash_files.py::test_ten_a_minute_and_four_of_them_for_what_is_urgent "
        "tests/unit/test_ledger.py::test_nothing_is_written_in_the_first_minute_nor_without_energy "
        f"{BOOT}test_power_return_is_no_crash",
        "a real brown-out: what chip and flash do between their own limits",
    ),
    (
        "P3",
        f"{CUTS}test_nothing_is_lost_or_mixed {SETTINGS_CUTS}test_settings_cut_at_every_operation_are_old_or_new "
        f"{SETTINGS_CUTS}test_state_cut_or_failing_at_every_operation_is_old_or_new "
        "tests/end_to_end/test_pulled_plug.py::test_a_cut_takes_at_most_a_minute",
        "how a real flash tears a program or an erase",
    ),
    (
        "F1",
        "tests/unit/test_settings_store.py::test_a_damaged_newest_gives_way_to_the_one_before "
        "tests/unit/test_settings_store.py::test_both_damaged_is_6_amperes_behind_a_lock "
        f"{PULLED}test_damaged_settings_are_said_on_the_page_and_a_backup_goes_round",
        "the 5 s of a start",
    ),
    (
        "F2",
        f"{BOOT}test_a_damaged_data_partition_is_made_anew_and_nothing_else",
        "the 5 s of a start; how long the chip's flash takes to be made anew",
    ),
    (
        "F3",
        f"{CUTS}test_a_full_flash {CUTS}test_a_flash_that_refuses "
        "tests/model/test_ledger_errors.py::test_each_of_sixty_operations_fails_once_and_for_ever "
        f"{BOOT}test_a_full_flash_keeps_what_was_and_says_so",
        "a worn flash",
    ),
    ("X1", "tests/unit/test_faults.py::test_crashes", "a crash of the interpreter itself"),
    ("X2", "tests/unit/test_control_loop.py", ""),
    ("X3", "tests/end_to_end/test_boot.py", "the charge pump's 200–300 ms, the RMT train"),
    ("X4", "tests/unit/test_control_loop.py", "fragmentation over months"),
    ("X6", "tests/drivers/test_board_contract.py", ""),
    ("T1", "tests/model/test_names_and_time.py", ""),
    ("N1", "tests/model/test_rejoin.py tests/drivers/test_wifi.py", "a real radio"),
    ("N2", "tests/end_to_end/test_mqtt_client.py", "a real network"),
    ("N3", "tests/end_to_end/test_mqtt_client.py", ""),
    ("N4", "tests/end_to_end/test_flood.py", "the chip's own speed"),
    ("N5", "tests/unit/test_grid_contract.py", ""),
    ("N6", "tests/scenarios/stubborn_car.scenario", "the arc under load"),
    ("N7", "tests/unit/test_damping.py::test_the_seventh_closing_waits_for_the_hour", ""),
    (
        "U1",
        f"{UPDATES}test_a_cut_at_any_byte_leaves_old_or_new tests/unit/test_update.py::test_cut_at_every_byte",
        "that NVS keeps old or new; the time of an erase while a tick waits",
    ),
    (
        "U2",
        f"{UPDATES}test_every_bit_of_head_and_signature {UPDATES}test_files_cuts_and_random_ones "
        f"{UPDATE}test_refusals_in_words_change_nothing",
        "",
    ),
    (
        "U3",
        f"{UPDATE}test_a_version_that_cannot_start_is_gone_after_two_boots "
        f"{UPDATE}test_a_version_that_never_ticks_is_gone_after_seven_minutes "
        f"{UPDATE}test_from_the_page_to_a_passed_trial",
        "the timer that ends a trial though the program hangs in C",
    ),
)
