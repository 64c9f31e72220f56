// The header is C++ as well: its functions link, its handles fit into smart pointers.

#undef NDEBUG
#include <cassert>
#include <cstdlib>
#include <memory>
#include <string>

#include "oss_callback.h"

template <typename T, void (*Free)(T *)>
struct Freed {
    void operator()(T *handle) const { Free(handle); }
};

using Options = std::unique_ptr<oss_callback_client_options,
                                Freed<oss_callback_client_options, oss_callback_client_options_free>>;
using Client = std::unique_ptr<oss_callback_client, Freed<oss_callback_client, oss_callback_client_free>>;
using Receipt = std::unique_ptr<oss_callback_receipt, Freed<oss_callback_receipt, oss_callback_receipt_free>>;

int main() {
    assert(std::string(oss_callback_version()) == OSS_CALLBACK_VERSION);

    oss_callback_client_options *new_options = nullptr;
    assert(oss_callback_client_options_new(&new_options) == OSS_CALLBACK_CODE_OK);
    Options options(new_options);
    oss_callback_client_options_set_endpoint(options.get(), std::getenv("OSS_ENDPOINT"));
    oss_callback_client_options_set_region(options.get(), std::getenv("OSS_REGION"));
    oss_callback_client_options_set_credentials_from_env(options.get());

    oss_callback_client *new_client = nullptr;
    assert(oss_callback_client_new(options.get(), &new_client, nullptr) == OSS_CALLBACK_CODE_OK);
    Client client(new_client);

    const std::string body = "hello";
    oss_callback_receipt *new_receipt = nullptr;
    assert(oss_put_object_with_callback(client.get(), std::getenv("OSS_BUCKET"), "object",
                                        reinterpret_cast<const uint8_t *>(body.data()), body.size(), oss_callback_spec_none(), nullptr,
                                        &new_receipt, nullptr) == OSS_CALLBACK_CODE_OK);
    Receipt receipt(new_receipt);
    assert(oss_callback_receipt_status(receipt.get()) == 200);
}
