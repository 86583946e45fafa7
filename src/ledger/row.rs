//! Rows as parameters: Postgres unfolds one array of rows in a fraction of the time that it takes for an array of each column.

/// A struct that goes to Postgres as a row of a composite type, alone or in an array. A row has no names on the wire: the fields stand
/// in the order of the type's attributes (PostgreSQL manual, "Composite Types"), and Postgres refuses those of another type.
macro_rules! row {
    ($(#[$doc:meta])* $row:ident: $name:literal { $($attribute:ident: $rust_type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $row<'a> {
            $($attribute: $rust_type,)*
        }

        impl ::sqlx::Type<::sqlx::Postgres> for $row<'_> {
            fn type_info() -> ::sqlx::postgres::PgTypeInfo {
                ::sqlx::postgres::PgTypeInfo::with_name($name)
            }
        }

        impl ::sqlx::postgres::PgHasArrayType for $row<'_> {
            fn array_type_info() -> ::sqlx::postgres::PgTypeInfo {
                ::sqlx::postgres::PgTypeInfo::array_of($name)
            }
        }

        impl ::sqlx::Encode<'_, ::sqlx::Postgres> for $row<'_> {
            fn encode_by_ref(
                &self,
                buffer: &mut ::sqlx::postgres::PgArgumentBuffer,
            ) -> Result<::sqlx::encode::IsNull, ::sqlx::error::BoxDynError> {
                let mut row = ::sqlx::postgres::types::PgRecordEncoder::new(buffer);
                $(row.encode(&self.$attribute)?;)*
                row.finish();
                Ok(::sqlx::encode::IsNull::No)
            }
        }
    };
}

pub(crate) use row;
