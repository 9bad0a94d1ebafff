#include "tools/eventchain/pki.h"

#include <fmt/format.h>
#include <algorithm>
#include <boost/json.hpp>

#include "tools/eventchain/certificate.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/json_text.h"

namespace eventchain::tools {

namespace fs = std::filesystem;
namespace json = boost::json;
using chain::ErrorCode;
using chain::fail;
using chain::Member;
using chain::Result;

namespace {

constexpr std::size_t kFileBytesMax = 64 * 1024;
constexpr int kAuthorityDays = 3650;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_trust_domain(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

Result<void> make_directory(const fs::path& dir) {
  std::error_code error;
  fs::create_directories(dir, error);
  if (error)
    return fail(ErrorCode::kIo, fmt::format("cannot create {}: {}", dir.string(), error.message()));
  return {};
}

Result<Key> load_key(const fs::path& path) {
  const Result<std::string> pem = read_file(path, kFileBytesMax);
  if (!pem) return tl::unexpected(pem.error());
  return key_from_pem(*pem, path.string());
}

// The member as it was issued before, or a new one with a random id and a fresh signing key.
Result<Member> member_for(const fs::path& home, const Issue& issue) {
  if (fs::exists(home / "member.json")) {
    const Result<std::string> text = read_file(home / "member.json", kFileBytesMax);
    if (!text) return tl::unexpected(text.error());
    return member_from_json(*text);
  }
  const Result<std::string> id = random_octets(chain::NodeId::kSize);
  if (!id) return tl::unexpected(id.error());
  const Result<std::string> store = random_octets(chain::StoreId::kSize);
  if (!store) return tl::unexpected(store.error());
  Result<Key> signing = make_signing_key();
  if (!signing) return tl::unexpected(signing.error());
  const Result<std::string> pem = key_to_pem(signing->get());
  const Result<std::string> raw = raw_public_key(signing->get());
  if (!pem) return tl::unexpected(pem.error());
  if (!raw) return tl::unexpected(raw.error());
  Member member;
  member.node = chain::NodeId::from(*id).value();
  member.store = chain::StoreId::from(*store).value();
  member.signing_key = chain::PublicKey::from(*raw).value();
  member.name = issue.name;
  member.site = issue.site;
  if (auto written = write_new_file(home / "signing.key.pem", *pem, Secrecy::kSecret); !written)
    return tl::unexpected(written.error());
  if (auto written = write_new_file(home / "member.json", member_to_json(member), Secrecy::kPublic);
      !written)
    return tl::unexpected(written.error());
  return member;
}

Result<std::string> identity_path(const fs::path& home, const Issue& issue) {
  if (issue.subject == Subject::kClient) return "client/" + issue.name;
  const Result<Member> member = member_for(home, issue);
  if (!member) return tl::unexpected(member.error());
  return "node/" + chain::to_hex(member->node);
}

}  // namespace

Result<void> create_authority(const fs::path& dir, const Authority& authority) {
  if (!is_trust_domain(authority.trust_domain))
    return fail(ErrorCode::kInvalid,
                "the trust domain must be 1 to 255 of a-z, 0-9, '-', '.', '_'");
  if (!is_name(authority.chain))
    return fail(ErrorCode::kInvalid, "the chain's name must be 1 to 32 of a-z, 0-9 and '-'");
  if (auto made = make_directory(dir); !made) return made;
  const Result<Key> key = make_tls_key();
  if (!key) return tl::unexpected(key.error());
  CertificateContent content;
  content.common_name = "EventChain " + authority.chain + " authority";
  content.days = kAuthorityDays;
  const Result<Certificate> certificate = make_authority_certificate(key->get(), content);
  if (!certificate) return tl::unexpected(certificate.error());
  const Result<std::string> key_pem = key_to_pem(key->get());
  if (!key_pem) return tl::unexpected(key_pem.error());
  const Result<std::string> certificate_pem = certificate_to_pem(certificate->get());
  if (!certificate_pem) return tl::unexpected(certificate_pem.error());
  const std::string description =
      pretty(json::object{{"trust_domain", authority.trust_domain}, {"chain", authority.chain}});
  if (auto ok = write_new_file(dir / "ca.key.pem", *key_pem, Secrecy::kSecret); !ok) return ok;
  if (auto ok = write_new_file(dir / "ca.cert.pem", *certificate_pem, Secrecy::kPublic); !ok)
    return ok;
  return write_new_file(dir / "authority.json", description, Secrecy::kPublic);
}

Result<Authority> load_authority(const fs::path& dir) {
  const fs::path path = dir / "authority.json";
  const Result<std::string> text = read_file(path, kFileBytesMax);
  if (!text)
    return fail(text.error().code,
                text.error().message + "; make an authority with: eventchain pki init DIR ...");
  const Result<json::value> parsed = parse_json(*text, path.string());
  if (!parsed) return tl::unexpected(parsed.error());
  Authority authority{text_of(*parsed, "trust_domain"), text_of(*parsed, "chain")};
  if (!is_trust_domain(authority.trust_domain) || !is_name(authority.chain))
    return fail(ErrorCode::kMalformed,
                path.string() + " lacks a valid \"trust_domain\" or \"chain\"");
  return authority;
}

Result<void> issue_certificate(const fs::path& dir, const Issue& issue) {
  if (!is_name(issue.name))
    return fail(ErrorCode::kInvalid, "a name must be 1 to 32 of a-z, 0-9 and '-'");
  if (issue.days < 1 || issue.days > kAuthorityDays)
    return fail(ErrorCode::kInvalid, fmt::format("days must be 1 to {}", kAuthorityDays));
  const Result<Authority> authority = load_authority(dir);
  if (!authority) return tl::unexpected(authority.error());
  const Result<Key> authority_key = load_key(dir / "ca.key.pem");
  if (!authority_key) return tl::unexpected(authority_key.error());
  const Result<std::string> authority_pem = read_file(dir / "ca.cert.pem", kFileBytesMax);
  if (!authority_pem) return tl::unexpected(authority_pem.error());
  const Result<Certificate> authority_certificate =
      certificate_from_pem(*authority_pem, (dir / "ca.cert.pem").string());
  if (!authority_certificate) return tl::unexpected(authority_certificate.error());

  const fs::path home = dir / issue.name;
  if (auto made = make_directory(home); !made) return made;
  const Result<std::string> path = identity_path(home, issue);
  if (!path) return tl::unexpected(path.error());
  const Result<Key> key = make_tls_key();
  if (!key) return tl::unexpected(key.error());
  CertificateContent content;
  content.common_name = issue.name;
  content.uri =
      fmt::format("spiffe://{}/eventchain/{}/{}", authority->trust_domain, authority->chain, *path);
  content.addresses = issue.addresses;
  content.days = issue.days;
  const Result<Certificate> certificate =
      make_end_certificate(key->get(), content, authority_certificate->get(), authority_key->get());
  if (!certificate) return tl::unexpected(certificate.error());
  const Result<std::string> key_pem = key_to_pem(key->get());
  if (!key_pem) return tl::unexpected(key_pem.error());
  const Result<std::string> certificate_pem = certificate_to_pem(certificate->get());
  if (!certificate_pem) return tl::unexpected(certificate_pem.error());
  if (auto ok = replace_file(home / "key.pem", *key_pem, Secrecy::kSecret); !ok) return ok;
  if (auto ok = replace_file(home / "cert.pem", *certificate_pem, Secrecy::kPublic); !ok) return ok;
  return replace_file(home / "ca.cert.pem", *authority_pem, Secrecy::kPublic);
}

std::string member_to_json(const Member& member) {
  return pretty(json::object{{"name", member.name},
                             {"node", chain::to_hex(member.node)},
                             {"signing_key", chain::to_hex(member.signing_key)},
                             {"site", member.site},
                             {"store", chain::to_hex(member.store)}});
}

Result<Member> member_from_json(std::string_view text) {
  const Result<json::value> parsed = parse_json(text, "member.json");
  if (!parsed) return tl::unexpected(parsed.error());
  const auto node = chain::from_hex(text_of(*parsed, "node"));
  const auto key = chain::from_hex(text_of(*parsed, "signing_key"));
  const auto id = node ? chain::NodeId::from(*node) : std::nullopt;
  const auto signing = key ? chain::PublicKey::from(*key) : std::nullopt;
  const auto disk = chain::from_hex(text_of(*parsed, "store"));
  const auto store = disk ? chain::StoreId::from(*disk) : std::nullopt;
  if (!id || !signing || !store)
    return fail(ErrorCode::kMalformed,
                "a member needs \"node\" and \"store\" (32 hex digits each) and \"signing_key\" "
                "(64 hex digits)");
  Member member;
  member.node = *id;
  member.signing_key = *signing;
  member.store = *store;
  member.name = text_of(*parsed, "name");
  member.site = text_of(*parsed, "site");
  if (!is_name(member.name))
    return fail(ErrorCode::kMalformed, "a member needs a \"name\": 1 to 32 of a-z, 0-9 and '-'");
  return member;
}

}  // namespace eventchain::tools
