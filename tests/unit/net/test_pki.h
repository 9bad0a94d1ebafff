#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/unit/temporary_directory.h"

// A certificate authority for tests: made of nothing, in a folder that goes away with it.
namespace eventchain::net::testing {

struct PkiFiles {
  std::string certificate;
  std::string key;
  std::string ca;
};

// What a good node certificate has; a test breaks one of it.
struct CertificateSpec {
  std::string names;  // as in OpenSSL's configuration: "URI:spiffe://...,DNS:host"
  std::string usage = "critical,digitalSignature";
  std::string roles = "serverAuth,clientAuth";  // "": none
  bool is_ca = false;
  bool is_expired = false;
};

class TestCa {
 public:
  explicit TestCa(const std::string& name) : name_(name), key_(make_key()) {
    CertificateSpec spec;
    spec.is_ca = true;
    spec.usage = "critical,keyCertSign,cRLSign";
    spec.roles = "";
    certificate_ = make_certificate(spec, key_.get(), nullptr);
    write_certificate(ca_file(), certificate_.get());
  }

  // Files of a new key and its certificate, named after `name`.
  PkiFiles issue(const std::string& name, const CertificateSpec& spec) {
    const Key key = make_key();
    const Certificate certificate = make_certificate(spec, key.get(), certificate_.get());
    PkiFiles files{folder_.file(name + ".pem"), folder_.file(name + ".key"), ca_file()};
    write_certificate(files.certificate, certificate.get());
    const File file(std::fopen(files.key.c_str(), "w"));
    check(PEM_write_PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr));
    return files;
  }

  [[nodiscard]] std::string ca_file() const { return folder_.file("ca.pem"); }

 private:
  template <class T, void (*Free)(T*)>
  struct FreeWith {
    void operator()(T* value) const { Free(value); }
  };
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY, EVP_PKEY_free>>;
  using Certificate = std::unique_ptr<X509, FreeWith<X509, X509_free>>;
  using File = std::unique_ptr<std::FILE, CloseFile>;

  static void check(int result) {
    if (result <= 0) throw std::runtime_error("OpenSSL could not make a certificate for the test");
  }

  static Key make_key() { return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

  static void write_certificate(const std::string& path, X509* certificate) {
    const File file(std::fopen(path.c_str(), "w"));
    check(PEM_write_X509(file.get(), certificate));
  }

  static void add(X509* certificate, X509* issuer, int kind, const std::string& value) {
    if (value.empty()) return;
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    check(extension != nullptr ? 1 : 0);
    check(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
  }

  // Signed by this authority; by itself when there is no issuer yet.
  Certificate make_certificate(const CertificateSpec& spec, EVP_PKEY* key, X509* issuer) {
    Certificate made(X509_new());
    X509* certificate = made.get();
    issuer = issuer == nullptr ? certificate : issuer;
    check(X509_set_version(certificate, 2));
    check(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_));
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), spec.is_expired ? -3600 : 86400);
    const std::string subject = name_ + "-" + std::to_string(serial_);
    check(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                     reinterpret_cast<const unsigned char*>(subject.c_str()), -1,
                                     -1, 0));
    check(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)));
    check(X509_set_pubkey(certificate, key));
    add(certificate, issuer, NID_basic_constraints, spec.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    add(certificate, issuer, NID_key_usage, spec.usage);
    add(certificate, issuer, NID_ext_key_usage, spec.roles);
    add(certificate, issuer, NID_subject_alt_name, spec.names);
    add(certificate, issuer, NID_subject_key_identifier, "hash");
    check(X509_sign(certificate, key_.get(), nullptr));
    return made;
  }

  TemporaryDirectory folder_;
  std::string name_;
  long serial_ = 0;
  Key key_;
  Certificate certificate_;
};

}  // namespace eventchain::net::testing
