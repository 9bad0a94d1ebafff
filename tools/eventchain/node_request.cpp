#include "tools/eventchain/node_request.h"

#include <fmt/format.h>

#include "net/identity.h"
#include "tools/eventchain/certificate.h"
#include "tools/eventchain/certificate_request.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/key_files.h"
#include "tools/eventchain/peer_identity.h"

namespace eventchain::tools {

namespace fs = std::filesystem;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

constexpr std::size_t kFileBytesMax = 64 * 1024;
constexpr std::int64_t kSecondsPerDay = 24 * 60 * 60;

// Two files of one directory that belong together.
struct Pair {
  fs::path key;
  fs::path request;
};
Pair present(const fs::path& dir) {
  return {dir / "key.pem", dir / "csr.pem"};
}
Pair next(const fs::path& dir) {
  return {dir / "next.key.pem", dir / "next.csr.pem"};
}

// The request that is there, if it is of this key and for this name; "" otherwise.
std::string kept_request(const fs::path& file, EVP_PKEY* key, const std::string& uri) {
  if (!fs::exists(file)) return {};
  const Result<std::string> pem = read_file(file, kFileBytesMax);
  if (!pem) return {};
  const Result<CertificateRequest> request = read_certificate_request(*pem);
  if (!request || request->uri != uri || EVP_PKEY_eq(request->key.get(), key) != 1) return {};
  return *pem;
}

Result<std::string> request_at(const Pair& files, const std::string& name, const std::string& uri) {
  const Result<Key> key = key_at(files.key, make_tls_key);
  if (!key) return tl::unexpected(key.error());
  if (std::string kept = kept_request(files.request, key->get(), uri); !kept.empty()) return kept;
  Result<std::string> request = make_certificate_request(key->get(), name, uri);
  if (!request) return request;
  if (auto written = replace_file(files.request, *request, Secrecy::kPublic); !written)
    return tl::unexpected(written.error());
  return request;
}

Result<Certificate> load_certificate(const fs::path& file) {
  const Result<std::string> pem = read_file(file, kFileBytesMax);
  if (!pem) return tl::unexpected(pem.error());
  return certificate_from_pem(*pem, file.string());
}

Result<chain::UnixMillis> end_of(const X509* certificate) {
  const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (epoch == nullptr ||
      ASN1_TIME_diff(&days, &seconds, epoch.get(), X509_get0_notAfter(certificate)) != 1)
    return openssl_failure("the certificate's end cannot be read");
  return chain::UnixMillis{(days * kSecondsPerDay + seconds) * 1000};
}

// Which of the directory's keys the certificate is for, by a request that asked for it.
Result<Pair> asked_for(const fs::path& dir, std::string_view certificate_pem) {
  for (const Pair& files : {next(dir), present(dir)}) {
    if (!fs::exists(files.key) || !fs::exists(files.request)) continue;
    const Result<Key> key = load_key(files.key);
    if (!key) return tl::unexpected(key.error());
    const Result<std::string> pem = read_file(files.request, kFileBytesMax);
    if (!pem) return tl::unexpected(pem.error());
    const Result<CertificateRequest> request = read_certificate_request(*pem);
    if (!request) return tl::unexpected(request.error());
    const Result<bool> fits = is_certificate_for(certificate_pem, key->get(), request->uri);
    if (!fits) return tl::unexpected(fits.error());
    if (*fits) return files;
  }
  return fail(
      ErrorCode::kInvalid,
      fmt::format("the certificate answers no request of {}: it is for another key or another "
                  "node; send the authority csr.pem, or next.csr.pem for new keys",
                  dir.string()));
}

}  // namespace

Result<std::string> prepare_request(const fs::path& dir, const Authority& authority,
                                    const std::string& name, const std::string& site) {
  if (auto checked = check_authority(authority); !checked) return tl::unexpected(checked.error());
  if (auto checked = check_name(name); !checked) return tl::unexpected(checked.error());
  if (auto made = make_directory(dir); !made) return tl::unexpected(made.error());
  const Result<chain::Member> member = member_at_home(dir, name, site);
  if (!member) return tl::unexpected(member.error());
  if (member->name != name)
    return fail(ErrorCode::kInvalid, fmt::format("{} is the directory of {}, not of {}; choose "
                                                 "another directory",
                                                 dir.string(), member->name, name));
  const std::string uri =
      net::to_uri(net::NodeIdentity{authority.trust_domain, authority.chain, member->node});
  if (fs::exists(dir / "cert.pem")) {
    const Result<Certificate> certificate = load_certificate(dir / "cert.pem");
    if (!certificate) return tl::unexpected(certificate.error());
    if (spiffe_identity(certificate->get()) != uri)
      return fail(ErrorCode::kInvalid,
                  fmt::format("{}/cert.pem is of {}, not of {}; choose another directory",
                              dir.string(), spiffe_identity(certificate->get()), uri));
  }
  return request_at(present(dir), name, uri);
}

Result<Renewal> prepare_renewal(const fs::path& dir, int days, chain::UnixMillis now) {
  const Result<chain::Member> member = load_member(dir);
  if (!member) return tl::unexpected(member.error());
  const Result<Certificate> certificate = load_certificate(dir / "cert.pem");
  if (!certificate) return tl::unexpected(certificate.error());
  const Result<Key> key = load_key(dir / "key.pem");
  if (!key) return tl::unexpected(key.error());
  const Result<chain::UnixMillis> until = end_of(certificate->get());
  if (!until) return tl::unexpected(until.error());
  Renewal renewal{*until, false, {}};
  renewal.is_needed = until->value - now.value <= days * kSecondsPerDay * 1000 ||
                      X509_check_private_key(certificate->get(), key->get()) != 1;
  ERR_clear_error();
  if (!renewal.is_needed) return renewal;
  Result<std::string> request =
      request_at(next(dir), member->name, spiffe_identity(certificate->get()));
  if (!request) return tl::unexpected(request.error());
  renewal.request = std::move(*request);
  return renewal;
}

Result<void> accept_certificate(const fs::path& dir, std::string_view certificate_pem,
                                std::string_view authority_pem) {
  const Result<Pair> files = asked_for(dir, certificate_pem);
  if (!files) return tl::unexpected(files.error());
  const Result<Certificate> authority =
      authority_pem.empty() ? load_certificate(dir / "ca.cert.pem")
                            : certificate_from_pem(authority_pem, "the authority's certificate");
  if (!authority) return tl::unexpected(authority.error());
  const Result<Certificate> certificate = certificate_from_pem(certificate_pem, "the certificate");
  if (!certificate) return tl::unexpected(certificate.error());
  if (X509_verify(certificate->get(), X509_get0_pubkey(authority->get())) != 1) {
    ERR_clear_error();
    return fail(ErrorCode::kInvalid,
                "the certificate is not signed by the authority; were two authorities mixed up?");
  }
  if (!authority_pem.empty())
    if (auto ok = replace_file(dir / "ca.cert.pem", authority_pem, Secrecy::kPublic); !ok)
      return ok;
  const Pair used = present(dir);
  if (files->key != used.key) {
    const Result<std::string> key_pem = read_file(files->key, kFileBytesMax);
    if (!key_pem) return tl::unexpected(key_pem.error());
    const Result<std::string> request_pem = read_file(files->request, kFileBytesMax);
    if (!request_pem) return tl::unexpected(request_pem.error());
    if (auto ok = replace_file(used.key, *key_pem, Secrecy::kSecret); !ok) return ok;
    if (auto ok = replace_file(used.request, *request_pem, Secrecy::kPublic); !ok) return ok;
  }
  if (auto ok = replace_file(dir / "cert.pem", certificate_pem, Secrecy::kPublic); !ok) return ok;
  std::error_code ignored;
  fs::remove(next(dir).request, ignored);
  fs::remove(next(dir).key, ignored);
  return {};
}

}  // namespace eventchain::tools
