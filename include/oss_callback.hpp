/**
 * oss-callback for C++17: uploads to Alibaba Cloud OSS with an upload callback. Header-only, over oss_callback.h.
 *
 *     namespace oss = oss_callback;
 *
 *     const oss::client client(oss::client_options()
 *                                  .endpoint("https://oss-cn-hangzhou.aliyuncs.com")
 *                                  .credentials_from_env());
 *     const oss::spec spec(oss::spec_options()
 *                              .url("https://app.example.com/callback")
 *                              .body("filename=${object}&size=${size}"));
 *     try {
 *       const oss::receipt receipt = client.put_object_from_file("photos", "cat.jpg", "cat.jpg", spec);
 *       std::cout << receipt.answer() << '\n';
 *     } catch (const oss::callback_failed& failed) {
 *       // The object IS stored; the application server was not reached or did not agree. Do not upload again.
 *     } catch (const oss::error& error) {
 *       // error.stored() says whether it is stored: no, yes or unknown. See client::reconcile.
 *     }
 *
 * Three outcomes. An upload ends in a receipt, in a callback_failed (HTTP 203: stored, but not agreed to) or in an
 * error. They are three types, and neither `catch (const error&)` nor a bool can take the second for one of the others.
 * What is common to callback_failed and error is failure, a std::exception.
 *
 * Two forms. client::put_object throws; client::try_put_object gives an upload_result, whose visit() must have a
 * function for each outcome. Every operation is there in both forms. With -fno-exceptions there are only those with
 * try_, also in place of the constructors that may fail: client::try_of(options). When memory is exhausted both throw
 * std::bad_alloc, like the standard library.
 *
 * Callbacks and hooks. A callback is the HTTP request that OSS sends to the application server: each upload is given a
 * spec of it, or no_callback. A hook is a function of the program's that the library calls: a reader, a progress hook,
 * a credentials_provider. It may throw: the operation then ends, and when the library has returned the exception is
 * thrown again to the caller, who may take it as a proof that nothing is stored. Where something is, or may be, stored,
 * the error is thrown that says so, and failure::thrown() is the exception. The try_ forms always give the error.
 *
 * Ownership. Objects with a handle are move-only and free it; one that was moved from can only be destroyed and
 * assigned to. Outcomes and their receipts are shared and immutable, and may be copied. A std::string_view that is
 * given out lives as long as the object that gave it. Setters of options give the options back, so that a chain of
 * them can be an argument. c_handle() is for the functions of oss_callback.h, whose comments say more of each
 * operation than those here, and which may be mixed with these.
 *
 * Text goes in as text, which a std::string_view, a std::string or a `const char *` becomes, contents as bytes, which
 * any container of bytes becomes, times as std::chrono. What each class says of threads is that of its handle.
 */

#ifndef OSS_CALLBACK_HPP
#define OSS_CALLBACK_HPP

#include "oss_callback/arguments.hpp"       // text, bytes
#include "oss_callback/client.hpp"          // client
#include "oss_callback/client_options.hpp"  // client_options
#include "oss_callback/hooks.hpp"           // reader, credentials_provider, signer
#include "oss_callback/multipart.hpp"       // multipart_upload, parts
#include "oss_callback/objects.hpp"         // object_metadata, reconciled
#include "oss_callback/options.hpp"         // put_options, operation_options, cancellation
#include "oss_callback/outcome.hpp"         // receipt, failure, error, callback_failed
#include "oss_callback/permissions.hpp"     // presigned_url, post_policy, post_form
#include "oss_callback/results.hpp"         // result, upload_result
#include "oss_callback/spec.hpp"            // spec, spec_options, body_template, explain

#if !defined(OSS_CALLBACK_SMALL)
#include "oss_callback/receiving.hpp"  // verifier, verified, sealer, replay_guard, reply
#endif

#endif  // OSS_CALLBACK_HPP
