//! The tables, as `migrations/` makes them. Not for hand-made types: those are in [`crate::models`].
#![expect(missing_docs, reason = "the columns are documented where they are made, in the migration")]

diesel::table! {
    accounts (id) {
        id -> Integer,
        name -> Text,
        consultancy_account_id -> Nullable<Integer>,
        assigned_consultants_only -> Bool,
    }
}

diesel::table! {
    users (id) {
        id -> Integer,
        account_id -> Integer,
        email -> Text,
        username -> Text,
        password_hash -> Text,
        active -> Bool,
        log_outs -> Integer,
    }
}

diesel::table! {
    roles (id) {
        id -> Integer,
        name -> Text,
    }
}

diesel::table! {
    users_roles (user_id, role_id) {
        user_id -> Integer,
        role_id -> Integer,
    }
}

diesel::table! {
    account_roles (id) {
        id -> Integer,
        name -> Text,
    }
}

diesel::table! {
    accounts_account_roles (account_id, account_role_id) {
        account_id -> Integer,
        account_role_id -> Integer,
    }
}

diesel::table! {
    assets (id) {
        id -> Integer,
        name -> Text,
        account_id -> Nullable<Integer>,
        latitude -> Nullable<Double>,
        longitude -> Nullable<Double>,
        parent_asset_id -> Nullable<Integer>,
        inherits_access -> Bool,
        generic_asset_type_id -> Nullable<Integer>,
        attributes -> Text,
        flex_context -> Text,
        flex_model -> Nullable<Text>,
        sensors_to_show -> Text,
        sensors_to_show_as_kpis -> Text,
    }
}

diesel::table! {
    sensors (id) {
        id -> Integer,
        asset_id -> Integer,
        name -> Text,
        unit -> Text,
        event_resolution_minutes -> Integer,
        attributes -> Text,
        timezone -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{Double, Integer};

    use crate::database::Datetime;

    measurements (sensor_id, event_start) {
        sensor_id -> Integer,
        event_start -> Datetime,
        event_value -> Double,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Integer};

    use crate::database::Datetime;

    auth_tokens (token_hash) {
        token_hash -> Binary,
        user_id -> Integer,
        created_at -> Datetime,
    }
}

diesel::table! {
    use crate::database::Datetime;
    use diesel::sql_types::{Integer, Nullable, Text};

    audit_log (id) {
        id -> Integer,
        event_datetime -> Datetime,
        event -> Text,
        active_user_id -> Nullable<Integer>,
        active_user_name -> Nullable<Text>,
        affected_user_id -> Nullable<Integer>,
        affected_account_id -> Nullable<Integer>,
    }
}

diesel::table! {
    use crate::database::Datetime;
    use diesel::sql_types::{Integer, Nullable, Text};

    asset_audit_log (id) {
        id -> Integer,
        event_datetime -> Datetime,
        event -> Text,
        active_user_id -> Nullable<Integer>,
        active_user_name -> Nullable<Text>,
        affected_asset_id -> Nullable<Integer>,
    }
}

diesel::table! {
    asset_shares (id) {
        id -> Integer,
        asset_id -> Integer,
        user_id -> Nullable<Integer>,
        account_id -> Nullable<Integer>,
        can_update -> Bool,
        // Not our own type of instants, which policies do not compare.
        expires_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    assigned_consultants (account_id, user_id) {
        account_id -> Integer,
        user_id -> Integer,
    }
}

diesel::joinable!(users -> accounts (account_id));
diesel::joinable!(users_roles -> users (user_id));
diesel::joinable!(users_roles -> roles (role_id));
diesel::joinable!(accounts_account_roles -> accounts (account_id));
diesel::joinable!(accounts_account_roles -> account_roles (account_role_id));
diesel::joinable!(assets -> accounts (account_id));
diesel::joinable!(sensors -> assets (asset_id));
diesel::joinable!(measurements -> sensors (sensor_id));
diesel::joinable!(auth_tokens -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    users,
    roles,
    users_roles,
    account_roles,
    accounts_account_roles,
    assets,
    sensors,
    measurements,
    auth_tokens,
    audit_log,
    asset_audit_log,
    asset_shares,
    assigned_consultants,
);
