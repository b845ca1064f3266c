# SPDX-License-Identifier: MPL-2.0
#
# Short names for the usual CMake calls; `make help` lists them. Variables:
#   JOBS=<n>         parallel jobs of the compiler (default: all cores)
#   BUILD=<folder>   build folder (default: build)
#   WERROR=ON        warnings are errors
#   CMAKE_FLAGS=...  more options for CMake, such as -DZLINK_LTO=OFF
#   TEST_FLAGS=...   more options for ctest, such as "-R unit/" or "-L socket"
#   PREFIX, DESTDIR  where `make install` puts things (default: /usr/local)

BUILD ?= build
WERROR ?= OFF
PREFIX ?= /usr/local
CMAKE_FLAGS ?=
TEST_FLAGS ?=
export JOBS

flags = -DZLINK_WERROR=$(WERROR) $(CMAKE_FLAGS)
with_tests = -DZLINK_BUILD_TESTS=ON $(flags)
without_tests = -DZLINK_BUILD_TESTS=OFF $(flags)

.PHONY: all run test asan tsan format check-format bench install clean help

all: ## build the library, the zlink command and the tools
	@tools/deps.sh build
	@tools/build.sh $(BUILD) $(without_tests)

run: all ## build, then show the library at work
	@$(BUILD)/bin/zlink demo

test: ## build and run every test
	@tools/deps.sh test
	@tools/build.sh $(BUILD) $(with_tests)
	@tools/run_tests.sh $(BUILD) $(TEST_FLAGS)

asan: ## the same tests under the address and undefined-behaviour sanitizers
	@tools/deps.sh test
	@tools/build.sh build-asan $(with_tests) -DZLINK_SANITIZE=address
	@tools/run_tests.sh build-asan $(TEST_FLAGS)

tsan: ## the same tests under the thread sanitizer
	@tools/deps.sh test
	@tools/build.sh build-tsan $(with_tests) -DZLINK_SANITIZE=thread
	@tools/run_tests.sh build-tsan $(TEST_FLAGS)

format: ## format all sources in place
	@tools/deps.sh ci
	@tools/format.sh

check-format: ## fail if a source is not formatted
	@tools/deps.sh ci
	@tools/format.sh check

bench: ## run the benchmark against the system's libzmq
	@tools/deps.sh bench
	@tools/build.sh $(BUILD) $(without_tests)
	@benchwithzmq/run_benchmarks.sh

install: ## install below PREFIX
	@tools/deps.sh build
	@tools/build.sh $(BUILD) $(without_tests) -DCMAKE_INSTALL_PREFIX=$(PREFIX)
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD)

clean: ## remove everything that was built
	@rm -rf $(BUILD) build-asan build-tsan build-clang

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
	    while IFS='|' read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done
