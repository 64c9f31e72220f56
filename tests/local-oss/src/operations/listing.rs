//! What listings have in common: parameters, encoding, documents.

use std::{ops::RangeInclusive, str::FromStr};

use hyper::StatusCode;
use percent_encoding::utf8_percent_encode;

use crate::{
    answer::{self, Answer},
    encoding::UNRESERVED,
    error::OssError,
    service::{ACCOUNT, Call},
    xml::Document,
};

/// How a document writes keys and what else may hold any character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EncodingType {
    None,
    Url,
}

impl EncodingType {
    pub(super) fn read(call: &Call) -> Result<Self, OssError> {
        match parameter(call, "encoding-type")? {
            "" => Ok(Self::None),
            "url" => Ok(Self::Url),
            other => Err(invalid("encoding-type", other)),
        }
    }

    pub(super) fn encode(self, text: &str) -> String {
        match self {
            Self::None => text.to_owned(),
            Self::Url => utf8_percent_encode(text, UNRESERVED).to_string(),
        }
    }

    /// Says so in the document, if something is encoded.
    pub(super) fn describe(self, xml: &mut Document) {
        if self == Self::Url {
            xml.element("EncodingType", "url");
        }
    }
}

/// Absent is empty. Keys are UTF-8, so that nothing else can name any.
pub(super) fn parameter<'a>(call: &'a Call, name: &str) -> Result<&'a str, OssError> {
    let value = call.query.get(name).unwrap_or_default();
    std::str::from_utf8(value).map_err(|_| invalid(name, &String::from_utf8_lossy(value)))
}

/// A number, or the default if the parameter is absent or empty.
pub(super) fn number<T: FromStr + PartialOrd>(
    call: &Call,
    name: &str,
    allowed: RangeInclusive<T>,
    default: T,
) -> Result<T, OssError> {
    match parameter(call, name)? {
        "" => Ok(default),
        text => text
            .parse()
            .ok()
            .filter(|number| allowed.contains(number))
            .ok_or_else(|| invalid(name, text)),
    }
}

pub(super) fn invalid(name: &str, value: &str) -> OssError {
    OssError::invalid_argument(format!("The value of {name} is invalid."), name, value)
}

pub(super) fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

pub(super) fn owner(xml: &mut Document) {
    xml.open("Owner");
    xml.element("ID", ACCOUNT);
    xml.element("DisplayName", ACCOUNT);
    xml.close("Owner");
}

pub(super) fn document(xml: Document) -> Answer {
    answer::with_body(StatusCode::OK, "application/xml", xml.finish())
}
