/**
 * oss-callback for C++17: uploads to Alibaba Cloud OSS with an upload callback. Header-only, on top of oss_callback.h.
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
 * Three outcomes. An upload ends in a receipt, in a callback_failed (HTTP 203: the object is stored, but the
 * application server did not agree) or in an error. They are three types: neither `catch (const error&)` nor a
 * conversion to bool can mistake a callback_failed for one of the others. callback_failed and error share a base class,
 * failure, which is a std::exception.
 *
 * Two forms. client::put_object throws; client::try_put_object returns an upload_result, whose visit() must have a
 * function for each outcome. Every operation has both forms. With -fno-exceptions only the try_ forms exist; they also
 * replace the constructors that may fail, as in client::try_of(options). When memory runs out, both forms throw
 * std::bad_alloc, like the standard library.
 *
 * Callbacks and hooks. A callback is the HTTP request that OSS sends to the application server; each upload takes a
 * spec of it, or no_callback. A hook is a function in your program that the library calls: a reader, a progress hook, a
 * credentials_provider. If it throws, the operation ends, and once the library has returned, your exception is rethrown
 * to the caller. A rethrown exception proves that nothing is stored. If something is, or may be, stored, an error that
 * says so is thrown instead, and its failure::thrown() is your exception. The try_ forms always return the error.
 *
 * Ownership. Objects with a handle are move-only and free it; a moved-from object can only be destroyed or assigned to.
 * Outcomes and their receipts are shared, immutable and copyable. A std::string_view that an object returns is valid as
 * long as that object lives. Option setters return the options, so that a chain of them can be an argument. c_handle()
 * is for the functions of oss_callback.h, which you may mix with these; the comments there say more about each
 * operation.
 *
 * Arguments. Strings are passed as text, which accepts a std::string_view, a std::string or a `const char *`; contents
 * as bytes, which accepts any container of bytes; times as std::chrono. What each class says about threads applies to
 * its handle.
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
