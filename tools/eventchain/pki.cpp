#include "tools/eventchain/pki.h"

#include <fmt/format.h>
#include <algorithm>
#include <boost/json.hpp>

#include "chain/keys.h"
#include "net/identity.h"
#include "tools/eventchain/certificate.h"
#include "tools/eventchain/certificate_request.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/key_files.h"

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

// Everything that signing takes.
struct Signer {
  Authority authority;
  Key key;
  Certificate certificate;
  std::string certificate_pem;
};

Result<Signer> load_signer(const fs::path& dir) {
  Result<Authority> authority = load_authority(dir);
  if (!authority) return tl::unexpected(authority.error());
  Result<Key> key = load_key(dir / "ca.key.pem");
  if (!key) return tl::unexpected(key.error());
  Result<std::string> pem = read_file(dir / "ca.cert.pem", kFileBytesMax);
  if (!pem) return tl::unexpected(pem.error());
  Result<Certificate> certificate = certificate_from_pem(*pem, (dir / "ca.cert.pem").string());
  if (!certificate) return tl::unexpected(certificate.error());
  return Signer{std::move(*authority), std::move(*key), std::move(*certificate), std::move(*pem)};
}

Result<std::string> sign_content(const Signer& signer, EVP_PKEY* key,
                                 const CertificateContent& content) {
  const Result<Certificate> certificate =
      make_end_certificate(key, content, signer.certificate.get(), signer.key.get());
  if (!certificate) return tl::unexpected(certificate.error());
  return certificate_to_pem(certificate->get());
}

Result<void> check_days(int days) {
  if (days >= 1 && days <= kAuthorityDays) return {};
  return fail(ErrorCode::kInvalid, fmt::format("days must be 1 to {}", kAuthorityDays));
}

Result<std::string> identity_path(const fs::path& home, const Issue& issue) {
  if (issue.subject == Subject::kClient) return "client/" + issue.name;
  const Result<Member> member = member_at_home(home, issue.name, issue.site);
  if (!member) return tl::unexpected(member.error());
  return "node/" + chain::to_hex(member->node);
}

}  // namespace

Result<void> check_authority(const Authority& authority) {
  if (!is_trust_domain(authority.trust_domain))
    return fail(ErrorCode::kInvalid,
                "the trust domain must be 1 to 255 of a-z, 0-9, '-', '.', '_'");
  if (!is_name(authority.chain))
    return fail(ErrorCode::kInvalid, "the chain's name must be 1 to 32 of a-z, 0-9 and '-'");
  return {};
}

Result<void> check_name(std::string_view name) {
  if (is_name(name)) return {};
  return fail(ErrorCode::kInvalid, "a name must be 1 to 32 of a-z, 0-9 and '-'");
}

Result<void> create_authority(const fs::path& dir, const Authority& authority) {
  if (auto checked = check_authority(authority); !checked) return checked;
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
  if (auto name = check_name(issue.name); !name) return name;
  if (auto days = check_days(issue.days); !days) return days;
  const Result<Signer> signer = load_signer(dir);
  if (!signer) return tl::unexpected(signer.error());

  const fs::path home = dir / issue.name;
  if (auto made = make_directory(home); !made) return made;
  const Result<std::string> path = identity_path(home, issue);
  if (!path) return tl::unexpected(path.error());
  const Result<Key> key = make_tls_key();
  if (!key) return tl::unexpected(key.error());
  CertificateContent content;
  content.common_name = issue.name;
  content.uri = fmt::format("spiffe://{}/eventchain/{}/{}", signer->authority.trust_domain,
                            signer->authority.chain, *path);
  content.addresses = issue.addresses;
  content.days = issue.days;
  const Result<std::string> certificate_pem = sign_content(*signer, key->get(), content);
  if (!certificate_pem) return tl::unexpected(certificate_pem.error());
  const Result<std::string> key_pem = key_to_pem(key->get());
  if (!key_pem) return tl::unexpected(key_pem.error());
  if (auto ok = replace_file(home / "key.pem", *key_pem, Secrecy::kSecret); !ok) return ok;
  if (auto ok = replace_file(home / "cert.pem", *certificate_pem, Secrecy::kPublic); !ok) return ok;
  return replace_file(home / "ca.cert.pem", signer->certificate_pem, Secrecy::kPublic);
}

Result<std::string> sign_request(const fs::path& dir, const Signing& signing) {
  if (auto days = check_days(signing.days); !days) return tl::unexpected(days.error());
  if (!signing.name.empty())
    if (auto name = check_name(signing.name); !name) return tl::unexpected(name.error());
  const Result<Signer> signer = load_signer(dir);
  if (!signer) return tl::unexpected(signer.error());
  const Result<CertificateRequest> request = read_certificate_request(signing.request);
  if (!request) return tl::unexpected(request.error());
  const Result<net::Identity> identity = net::parse_identity(request->uri);
  if (!identity) return tl::unexpected(identity.error());
  const auto* node = std::get_if<net::NodeIdentity>(&*identity);
  if (node == nullptr || node->trust_domain != signer->authority.trust_domain ||
      node->chain != signer->authority.chain)
    return fail(ErrorCode::kInvalid,
                fmt::format("{} is no node of spiffe://{}/eventchain/{}", request->uri,
                            signer->authority.trust_domain, signer->authority.chain));
  const std::string id = chain::to_hex(node->node);
  if (!signing.node.empty() && signing.node != id)
    return fail(ErrorCode::kInvalid,
                fmt::format("the request is for node {}, but {} was admitted", id, signing.node));
  CertificateContent content;
  content.common_name = signing.name.empty() ? id : signing.name;
  content.uri = net::to_uri(*identity);
  content.addresses = signing.addresses;
  content.days = signing.days;
  return sign_content(*signer, request->key.get(), content);
}

Result<Member> load_member(const fs::path& home) {
  const Result<std::string> text = read_file(home / "member.json", kFileBytesMax);
  if (!text) return tl::unexpected(text.error());
  return member_from_json(*text);
}

Result<Member> member_at_home(const fs::path& home, const std::string& name,
                              const std::string& site) {
  if (fs::exists(home / "member.json")) return load_member(home);
  const Result<std::string> id = random_octets(chain::NodeId::kSize);
  if (!id) return tl::unexpected(id.error());
  const Result<std::string> store = random_octets(chain::StoreId::kSize);
  if (!store) return tl::unexpected(store.error());
  const Result<Key> signing = key_at(home / "signing.key.pem", make_signing_key);
  if (!signing) return tl::unexpected(signing.error());
  const Result<std::string> raw = raw_public_key(signing->get());
  if (!raw) return tl::unexpected(raw.error());
  Member member;
  member.node = chain::NodeId::from(*id).value();
  member.store = chain::StoreId::from(*store).value();
  member.signing_key = chain::PublicKey::from(*raw).value();
  member.name = name;
  member.site = site;
  if (auto written = write_new_file(home / "member.json", member_to_json(member), Secrecy::kPublic);
      !written)
    return tl::unexpected(written.error());
  return member;
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
  if (const auto checked = chain::check_public_key(*signing); !checked)
    return tl::unexpected(checked.error());
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
