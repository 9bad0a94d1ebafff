# The Debian package: what goes where, and what CPack is to know. tools/package makes it.
include(GNUInstallDirs)
set(deploy "${PROJECT_SOURCE_DIR}/deploy")
set(made "${PROJECT_BINARY_DIR}/deploy")

install(TARGETS eventchaind eventchain RUNTIME DESTINATION bin)
install(FILES "${deploy}/systemd/eventchain.service" "${deploy}/systemd/eventchain-miner.service"
        DESTINATION /lib/systemd/system)
install(FILES "${deploy}/systemd/eventchain.sysusers.conf" DESTINATION lib/sysusers.d RENAME eventchain.conf)
install(FILES "${deploy}/systemd/eventchain.tmpfiles.conf" DESTINATION lib/tmpfiles.d RENAME eventchain.conf)
install(DIRECTORY DESTINATION /etc/eventchain)
install(FILES "${deploy}/eventchaind.example.toml" DESTINATION share/doc/eventchain/examples RENAME node.toml)
install(FILES "${deploy}/miner.example.toml" DESTINATION share/doc/eventchain/examples RENAME miner.toml)
install(FILES "${deploy}/eventchain.rules.yml" DESTINATION share/eventchain)
install(FILES "${made}/eventchain.1.gz" DESTINATION share/man/man1)
install(FILES "${made}/eventchaind.toml.5.gz" DESTINATION share/man/man5)
install(FILES "${made}/eventchaind.8.gz" DESTINATION share/man/man8)
install(DIRECTORY "${made}/completions/" DESTINATION share/bash-completion/completions)
install(DIRECTORY "${made}/zsh/" DESTINATION share/zsh/vendor-completions)
install(DIRECTORY "${made}/fish/" DESTINATION share/fish/vendor_completions.d)

set(CPACK_DEBIAN_PACKAGE_MAINTAINER "EventChain maintainers <maintainers@eventchain.invalid>")
string(TIMESTAMP EVENTCHAIN_CHANGELOG_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)  # SOURCE_DATE_EPOCH's
configure_file("${deploy}/debian/changelog.in" "${made}/changelog" @ONLY)
install(FILES "${deploy}/debian/copyright" DESTINATION share/doc/eventchain)
install(CODE "execute_process(COMMAND gzip -9n INPUT_FILE \"${made}/changelog\" OUTPUT_FILE \"${made}/changelog.gz\" COMMAND_ERROR_IS_FATAL ANY)")
install(FILES "${made}/changelog.gz" DESTINATION share/doc/eventchain)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME eventchain)
set(CPACK_PACKAGE_VERSION "${EVENTCHAIN_VERSION}")
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_SOURCE_DIR}/build/package")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "private, tamper-evident chain of events")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Keeps the events of an organisation on several of its own hosts, agrees on one
order for them with Raft, and builds that order into a chain in which every
later change shows. Hosts lend idle processor time to its proof of work.
.
This package has the node, its miner and the command for operators. It starts
nothing: a node needs a configuration in /etc/eventchain first.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# 252: CPUWeight=idle. The users and directories are made by its tools, too.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd (>= 252)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "prometheus, bash-completion")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${deploy}/debian/postinst;${deploy}/debian/prerm;${deploy}/debian/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
