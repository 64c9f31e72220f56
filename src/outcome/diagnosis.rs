//! What usually causes an error of the callback, and what to do about it. Pure.
//!
//! The causes are those of OSS's documentation, "Upload callback errors and troubleshooting". Codes of
//! the kind 0007-… may change, so the message decides; it is read loosely, since OSS's own spelling
//! varies (`Status`/`status`, blanks, a final dot).

use std::borrow::Cow;

use crate::base::host_name::is_host_name;
use crate::outcome::clock;
use crate::outcome::error::OssError;

/// The sentence for a failed callback (HTTP 203), by the message of the error document.
pub(crate) fn of_failed_callback(message: Option<&str>) -> &'static str {
    let message = simplified(message.unwrap_or_default());
    let has = |text: &str| message.contains(text);
    if has("too many callback requests") {
        "OSS had too many callbacks to deliver at that moment. The object is stored: try later to tell \
         the application server about it."
    } else if has("cost too long time") || has("reply timeout") {
        "The application server did not answer within 5 seconds, which is OSS's limit. It may have \
         received the callback all the same: answer first and work afterwards, and make the handler \
         idempotent."
    } else if has("missing content-length") {
        "The application server answered without Content-Length. Send that header; a chunked answer is \
         not accepted."
    } else if has("conent-length value") || has("content-length value") && has("invalid") {
        "The application server's Content-Length is not a positive number. Answer with a JSON body, at \
         least {}."
    } else if has("too long content-length") {
        "The application server's answer is too long for OSS. Keep it under 1 MB."
    } else if has("not valid json") {
        "The application server answered 200, but not with valid JSON. Send JSON without a byte order \
         mark; it did receive the callback."
    } else if has("get image info failed") {
        "The callback asks for imageInfo, but OSS could not read the object as an image. Ask for \
         imageInfo for images only."
    } else if has("can not connect") || has("error status : -1") {
        "OSS could not connect to the application server. Check that the URL's host and port can be \
         reached from the internet and that no firewall keeps OSS out."
    } else if let Some(status) = error_status(&message) {
        match status {
            300..=399 => {
                "The application server answered with a redirect, which OSS does not follow. Put the \
                 final URL into the callback."
            }
            401 | 403 => {
                "The application server refused the callback. It must let OSS's requests in without a \
                 login, and verify their signature instead."
            }
            404 => {
                "The application server does not know the path of the callback URL. Check the path, and \
                 the prefix that a reverse proxy may add or strip."
            }
            400..=499 => {
                "The application server refused the callback. Its log says why: the method is POST, and \
                 the body has the type that callbackBodyType names."
            }
            502 => {
                "The application server was not reached: the connection was refused or TLS failed, or \
                 a proxy before it answered 502. For https with several certificates turn callbackSNI \
                 on."
            }
            500..=599 => {
                "The application server failed while it handled the callback. Its log says why; it has \
                 received the callback."
            }
            _ => {
                "The application server must answer with status 200 exactly; any other status counts as \
                 a failure, 201 and 204 too."
            }
        }
    } else {
        "OSS stored the object, but the application server was not reached or did not give an answer \
         that OSS accepts: status 200, Content-Length, valid JSON, within 5 seconds."
    }
}

/// The sentence for a refusal that came through the proxy and is not OSS's.
pub(crate) const OF_A_PROXY: &str = "The proxy refused the request, or something behind it did that is not OSS's. \
    Look into the proxy's log and its rules: they must allow this host, this method and bodies of this size.";

/// The sentence for an answer that is not OSS's.
pub(crate) fn of_somebody_else(status: u16) -> &'static str {
    match status {
        203 => {
            "Something other than OSS answered, most likely a proxy that changes answers on their way. Let \
             requests to OSS pass it unchanged, or use https."
        }
        300..=399 => {
            "Something other than OSS answered, with a redirect: the login page of a network (captive portal), \
             a proxy, or an endpoint that is not OSS's, such as a web site or a CDN. Log in, or check the \
             endpoint and its DNS record."
        }
        407 | 511 => {
            "The network wants a login before it lets requests through: a proxy or a captive portal. Log in, \
             or give the client the proxy."
        }
        _ => {
            "Something other than OSS answered: the login page of a network (captive portal), a proxy or CDN \
             in between, or a server that is not OSS's at the endpoint. Open the endpoint in a browser on this \
             machine, and check its name and its DNS record (CNAME)."
        }
    }
}

/// The sentence for a refusal of the endpoint, in place of which OSS may name another, of the clock, of the region or of
/// the callback.
pub(crate) fn of_refusal(
    status: u16,
    oss: &OssError,
    endpoint: Option<&str>,
) -> Option<Cow<'static, str>> {
    let message = oss.message.as_deref();
    let code = oss.code.as_deref().unwrap_or_default();
    if let Some(endpoint) = endpoint {
        let named = match is_host_name(&endpoint.to_ascii_lowercase()) {
            true => format!("the endpoint {endpoint}"),
            false => "the bucket's endpoint".to_owned(),
        };
        let sentence = format!(
            "The bucket is not at the client's endpoint, most often because it is in another region. Give the \
             client {named}, and if `region` is set, the region of that endpoint."
        );
        return Some(sentence.into());
    }
    let sentence = if clock::is_about_the_date(status, code, message) {
        "The request is dated by a clock that is more than 15 minutes from OSS's. If this client signed it, its \
         next requests go by OSS's time: send it again, and set this machine's clock. A URL or a form must be \
         signed anew."
    } else if code != "InvalidArgument" {
        return None;
    } else if simplified(message.unwrap_or_default()).contains("invalid signing region") {
        "The request is signed for a region that is not the bucket's. Give the client the bucket's region, such as \
         cn-hangzhou; many endpoints have it in their name, and then `region` can be left out."
    } else {
        of_rejected_callback(message, oss.detail("ArgumentName"))?
    };
    Some(sentence.into())
}

/// The sentence for a callback that OSS rejected (HTTP 400 `InvalidArgument`), if it was the callback.
fn of_rejected_callback(
    message: Option<&str>,
    argument_name: Option<&str>,
) -> Option<&'static str> {
    let message = simplified(message?);
    let has = |text: &str| message.contains(text);
    let sentence = if has("length of callback exceed") {
        "The callback is longer than 5 KB as Base64. Shorten the body template, or move values into \
         variables."
    } else if has("callback configuration is not base64") {
        "The callback is not Base64 of the standard alphabet with padding and without line breaks."
    } else if has("callback configuration is not json") {
        "The callback is not a JSON object. Quotes inside callbackBody must be escaped."
    } else if has("callback url configuration is invalid") {
        "callbackUrl is missing, empty or not a URL of http or https with a valid port."
    } else if has("number of callback url") {
        "callbackUrl holds more than 5 URLs."
    } else if has("can not get ip") {
        "The name in callbackUrl cannot be resolved to an IPv4 address from OSS. Check the spelling and \
         that its DNS record is public."
    } else if has("private address") {
        "callbackUrl leads to a loopback or private address, which OSS does not call. Use an address \
         that is reachable from the internet."
    } else if has("callback host configuration is invalid") {
        "callbackHost is neither a domain name nor an IP address."
    } else if has("callback body is invalid") {
        "callbackBody is not a string. Write a JSON body as an escaped string."
    } else if has("callback body is empty") {
        "callbackBody is missing or empty."
    } else if has("callback body type configuration is invalid") {
        "callbackBodyType is not a string."
    } else if has("body type of callback is not supported") {
        "callbackBodyType must be application/x-www-form-urlencoded or application/json."
    } else if has("callback signature version") {
        "The callback asks for a signature version that OSS does not have: 1.0 and 2.0 exist."
    } else if has("not both") {
        "The callback stands in the header and in the URL. A presigned URL that holds it needs no \
         header."
    } else if has("length of callback var exceed") {
        "The variables are longer than 5 KB as Base64."
    } else if has("callback var is not expect") {
        "callback-var is not Base64 of a JSON object whose names begin with x: in lower case and whose \
         values are strings."
    } else if has("left brace") {
        "callbackBody has a `$` that is not followed by `{name}`. A literal `$` cannot be written."
    } else if argument_name.is_some_and(|name| name.starts_with("callback")) {
        "OSS rejected the callback, and stored nothing."
    } else {
        return None;
    };
    Some(sentence)
}

/// Lower case, with one blank where there are several.
fn simplified(message: &str) -> String {
    message
        .to_ascii_lowercase()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The number in `error status : 502.`
fn error_status(simplified: &str) -> Option<u16> {
    let (_, rest) = simplified.split_once("error status")?;
    let digits: String = rest
        .trim_start_matches([' ', ':'])
        .chars()
        .take_while(|c| c.is_ascii_digit())
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_of_the_callback_has_its_own_advice() {
        for (message, advice) in [
            ("Too many callback requests.", "try later"),
            ("Cost too long time.", "5 seconds"),
            ("Error status : 301.", "redirect"),
            ("Error status : 404.", "path"),
            ("Error Status:400", "refused the callback"),
            ("Error status : 403.", "without a login"),
            ("Error status : 500.", "failed while"),
            ("Error status : 502.", "callbackSNI"),
            ("Error status : 204.", "200 exactly"),
            (
                "Error status : -1.OSS can not connect to your callbackUrl, please check it.",
                "firewall",
            ),
            (
                "Error status : -1 1.2.3.4:80 reply timeout, cost:5000ms, timeout:5000ms (1)",
                "5 seconds",
            ),
            (
                "Error status : 400.User server missing content-length.",
                "without Content-Length",
            ),
            (
                "Error status : 400.User server return invalid conent-length value.",
                "positive",
            ),
            (
                "Error status : 400.User server return too long content-length value.",
                "1 MB",
            ),
            ("Response body is not valid json format.", "valid JSON"),
            ("Get image info failed.", "imageInfo"),
            ("", "within 5 seconds"),
            ("Something new.", "within 5 seconds"),
        ] {
            let text = of_failed_callback(Some(message));
            assert!(text.contains(advice), "{message}: {text}");
        }
    }

    #[test]
    fn whoever_else_answers_is_named_by_what_is_likely() {
        for (status, cause) in [
            (200, "captive portal"),
            (200, "proxy"),
            (404, "not OSS's at the endpoint"),
            (203, "changes answers"),
            (302, "redirect"),
            (407, "wants a login"),
        ] {
            assert!(of_somebody_else(status).contains(cause), "{status}");
        }
    }

    #[test]
    fn each_rejection_of_the_callback_has_its_own_advice() {
        let mut seen = std::collections::HashSet::new();
        for message in [
            "The length of callback exceed max value.",
            "The callback configuration is not base64 encoded.",
            "The callback configuration is not json format.",
            "The callback url configuration is invalid.",
            "The number of callback url exceed max value.",
            "Can not get ip by this host.",
            "Private address is forbidden to callback.",
            "The callback host configuration is invalid.",
            "The callback body is invalid.",
            "The callback body is empty.",
            "The callback body type configuration is invalid.",
            "The body type of callback is not supported.",
            "The callback signature version is invalid.",
            "Either the callback query string parameter or the x-oss-callback header should be specified, not both.",
            "The length of callback var exceed max value.",
            "The callback var is not expecten json.",
            "Left brace must be adjacent to dollar sign.",
        ] {
            let text = of_rejected_callback(Some(message), Some("callback")).unwrap();
            assert!(seen.insert(text), "{message} shares its advice: {text}");
        }
        assert!(of_rejected_callback(Some("New."), Some("callback-var")).is_some());
        assert!(of_rejected_callback(Some("Bad tagging."), Some("x-oss-tagging")).is_none());
    }
}
