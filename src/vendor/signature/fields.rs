//! The fields of a form, in the order that signatures want them in.

use std::borrow::Cow;

use crate::vendor::receipt::Refusal;
use crate::vendor::signature::genuine;

/// Fields that a signature may be over: they are sorted before anybody knows whose they are.
const FIELDS_MAX: usize = 256;

/// A name and its value.
pub(crate) type Field<'a> = (Cow<'a, str>, Cow<'a, str>);

/// By name, those of one name by value, and equal ones once.
///
/// # Errors
/// When there are more than any vendor has.
pub(crate) fn sorted(form: &[u8]) -> Result<Vec<Field<'_>>, Refusal> {
    let mut all = form.split(|b| *b == b'&').filter(|field| !field.is_empty());
    genuine(all.nth(FIELDS_MAX).is_none())?;
    let mut fields: Vec<Field<'_>> = form_urlencoded::parse(form).collect();
    fields.sort_unstable();
    fields.dedup();
    Ok(fields)
}
