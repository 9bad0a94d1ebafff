#include "chain/keys.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace eventchain::chain {

namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

const std::uint8_t* octets(ByteView bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

}  // namespace

bool verify_ed25519(const PublicKey& key, ByteView message, const Signature& signature) {
  const Key loaded(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.octets.data(), key.octets.size()));
  const Context context(EVP_MD_CTX_new());
  if (loaded == nullptr || context == nullptr) return false;
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, loaded.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.octets.data(), signature.octets.size(),
                          octets(message), message.size()) == 1;
}

namespace {

// The y coordinates of the eight points whose order divides 8, lowest octet first: 0, 1, -1, and
// those of the points of order 8. Their x has either sign.
constexpr std::string_view kSmallOrder[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"};
constexpr std::uint8_t kSignBit = 0x80;
constexpr std::uint8_t kPrimeLow = 0xed;  // 2^255 - 19 ends so; all other octets are ff, then 7f

}  // namespace

Result<void> check_public_key(const PublicKey& key) {
  PublicKey y = key;
  y.octets.back() &= static_cast<std::uint8_t>(~kSignBit);
  if (std::ranges::find(kSmallOrder, to_hex(y)) != std::end(kSmallOrder))
    return fail(ErrorCode::kInvalid,
                "the Ed25519 key " + to_hex(key) +
                    " is a point of small order, under which anybody can sign; make a new key");
  const bool is_above = y.octets.front() >= kPrimeLow && y.octets.back() == 0x7f &&
                        std::all_of(y.octets.begin() + 1, y.octets.end() - 1,
                                    [](std::uint8_t octet) { return octet == 0xff; });
  if (is_above)
    return fail(ErrorCode::kInvalid, "the Ed25519 key " + to_hex(key) +
                                         " is not spelled as RFC 8032 has it; copy it again, or "
                                         "make a new key");
  return {};
}

struct Ed25519::State {
  Key key;
};

Ed25519::Ed25519(std::unique_ptr<State> state) : state_(std::move(state)) {}
Ed25519::~Ed25519() = default;

Result<std::unique_ptr<Ed25519>> Ed25519::from_pem(ByteView pem) {
  const std::unique_ptr<BIO, FreeBio> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // Asked for a passphrase it gives up instead of asking the terminal.
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  Key key(PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr)
    return fail(ErrorCode::kInvalid, "no private key in PEM without a passphrase");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519)
    return fail(ErrorCode::kInvalid, "a private key, but not for Ed25519");
  return std::unique_ptr<Ed25519>(new Ed25519(std::make_unique<State>(State{std::move(key)})));
}

PublicKey Ed25519::public_key() const {
  PublicKey key;
  std::size_t size = key.octets.size();
  const int done = EVP_PKEY_get_raw_public_key(state_->key.get(), key.octets.data(), &size);
  EC_ASSERT(done == 1 && size == key.octets.size(),
            "an Ed25519 key has a public half of 32 octets");
  return key;
}

Signature Ed25519::sign(ByteView message) {
  Signature signature;
  std::size_t size = signature.octets.size();
  const Context context(EVP_MD_CTX_new());
  const bool done =
      context != nullptr &&
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1 &&
      EVP_DigestSign(context.get(), signature.octets.data(), &size, octets(message),
                     message.size()) == 1;
  EC_ASSERT(done && size == signature.octets.size(), "signing with a loaded key cannot fail");
  return signature;
}

Signature Ed25519Checker::sign(ByteView) {
  EC_ASSERT(false, "whoever only checks signatures signs nothing");
  return {};
}

}  // namespace eventchain::chain
