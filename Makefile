# SPDX-License-Identifier: Apache-2.0
#
# The everyday commands. Meson does the building (in build/ and build-*/), tools/deps fetches what is
# missing; DEPS=true leaves this machine's packages alone.

SHELL := /bin/bash
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

PREFIX ?= /usr/local
DEPS ?= tools/deps
FUZZ_SECONDS ?= 60
KILLS ?= 50
LEAK_CALLS ?= 1000000
PICTURE ?= models/digits/images/seven.png
SUITES ?= call infer rpc
ARCH ?= armhf

stage := build/stage
onnxruntime := .deps/onnxruntime/lib
tensorflow_lite := .deps/tensorflow-lite
tensorflow := .deps/tensorflow/tensorflow
sources = $(shell git ls-files '*.c' '*.h' '*.cc' '*.cpp')
comma := ,
gcc := CC=gcc CXX=g++
clang := CC=clang-14 CXX=clang++-14
address := -Db_sanitize=address$(comma)undefined -Db_lundef=false
thread := -Db_sanitize=thread -Db_lundef=false

# $(call setup,DIR,OPTIONS,COMPILER): configures DIR; again, from nothing, if packages came since.
setup = [ $1/build.ninja -nt .deps/changed ] || \
	$3 meson setup $$([ ! -e $1/build.ninja ] || echo --wipe) --prefix=/usr/local --libdir=lib $2 $1

# Processes in a sandbox cannot write down which of their lines were run.
unwalled = meson test -C build-coverage --no-rebuild --quiet --wrapper '$(CURDIR)/tools/without-walls'

help: ## this list
	@echo "usage: make TARGET, of:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

demo: build ## build, then classify a picture here and through an agent
	@tools/demo $(stage) $(PICTURE)

demo-vm: build ## build, then classify a picture here and in a virtual machine
	@$(DEPS) vm
	@tools/vm/module build/vm/virtio_vaccel.ko
	@tools/vm/demo $(stage) build/vm/virtio_vaccel.ko $(PICTURE)

test: ## build and run every test; ends in one line with the counts
	@$(DEPS) build test vm
	@$(MAKE) build DEPS=true
	@tools/run-tests build

test-options: ## test without any optional library and with each alone; ends in one line with the counts
	@$(DEPS) build test
	@$(call setup,build-options)
	@tools/test-options build-options plugins conform cli examples stage

test-kasan: build ## run the driver's tests in a kernel that looks for faults; the first time it takes half an hour
	@$(DEPS) test vm
	@tools/vm/kernel
	@tools/run-tests build --setup kasan --suite kasan

test-kills: build ## kill the agent's worker KILLS times (50) while a guest classifies, over virtio and over blk
	@$(DEPS) test vm
	@tools/run-tests build --suite kills --test-args '--kills $(KILLS)' --timeout-multiplier 10

test-kernels: build ## run the driver's tests with kernels older and newer than Debian 12's
	@$(DEPS) test vm
	@tests/kernel/kernels build/tests/kernel/accel

test-leaks: build ## call from Python LEAK_CALLS times (a million) of each kind, and look that no memory is kept
	@$(DEPS) test
	@LEAK_CALLS=$(LEAK_CALLS) tools/run-tests build 'python life' --timeout-multiplier 60

build: ## build; leaves a tree in build/stage that works wherever it is copied
	@$(DEPS) build
	@$(call setup,build)
	@ninja -C build
	@rm -rf build/dest $(stage)
	@DESTDIR='$(CURDIR)/build/dest' meson install -C build --no-rebuild --quiet
	@if [ -e build/dest/usr/local/lib/vaccel/libvaccel-onnx.so ] && [ -e $(onnxruntime) ]; then \
		install -m 644 $(onnxruntime)/libonnxruntime.so.1 build/dest/usr/local/lib/vaccel && \
		install -D -m 644 -t build/dest/usr/local/share/doc/vaccel/onnxruntime \
			$(onnxruntime)/LICENSE $(onnxruntime)/ThirdPartyNotices.txt; \
	fi
	@if [ -e build/dest/usr/local/lib/vaccel/libvaccel-tf.so ] && [ -e $(tensorflow) ]; then \
		install -D -m 644 -t build/dest/usr/local/share/doc/vaccel/tensorflow \
			$(tensorflow)/THIRD_PARTY_NOTICES.txt && \
		cp -l $(tensorflow)/libtensorflow_*.so.2 build/dest/usr/local/lib/vaccel; \
	fi
	@if [ -e build/dest/usr/local/lib/vaccel/libvaccel-tflite.so ] && [ -e $(tensorflow_lite) ]; then \
		install -m 644 $(tensorflow_lite)/libtensorflowlite_c.so build/dest/usr/local/lib/vaccel && \
		install -D -m 644 -t build/dest/usr/local/share/doc/vaccel/tensorflow-lite \
			$(tensorflow_lite)/licence/LICENSE; \
	fi
	@tools/carry build/dest/usr/local blas libopenblas.so.0 libgfortran.so.5 libquadmath.so.0
	@tools/carry build/dest/usr/local opencl libclblast.so.1 libOpenCL.so.1
	@mv build/dest/usr/local $(stage) && rm -r build/dest

install: build ## copy that tree to DESTDIR/PREFIX (/usr/local)
	mkdir -p '$(DESTDIR)$(PREFIX)'
	tar -C $(stage) -c . | tar -C '$(DESTDIR)$(PREFIX)' -xp --no-same-owner --no-overwrite-dir
	@if [ -e $(stage)/bin/vaccel-agent ]; then \
		sed -i 's|^ExecStart=/usr/local/|ExecStart=$(PREFIX)/|' \
			'$(DESTDIR)$(PREFIX)/lib/systemd/system/vaccel-agent.service'; \
	fi
	$(if $(DESTDIR),,-ldconfig)

format: ## lay out the code by clang-format
	@$(DEPS) lint
	@clang-format-14 -i $(sources)

lint: ## check the layout, the code (clang-tidy, staticcheck) and the scripts (shellcheck)
	@$(DEPS) build test lint
	@clang-format-14 --dry-run -Werror $(sources)
	@flake8 --max-line-length 100 --extend-ignore E203,E402,W503 bindings/python
	@shellcheck --severity warning .ci/run tools/carry tools/demo tools/deps tools/fetch tools/lint-go tools/mobilenet tools/run-fuzz tools/size \
		kernel/matrix tests/kernel/dkms tests/kernel/kernels tools/vm/fetch tools/vm/init tools/vm/kernel tools/vm/module deploy/vmm/qemu deploy/vmm/cloud-hypervisor
	@$(call setup,build)
	@ninja -C build
	@tools/tidy build
	@tools/lint-go build

size: ## list files and functions over the limits
	@$(DEPS) size
	@tools/size

sanitize: ## run the tests under both compilers' sanitizers, the unit tests under valgrind
	@$(DEPS) build test sanitize
	@$(call setup,build-gcc-address,$(address),$(gcc))
	@tools/run-tests build-gcc-address --timeout-multiplier 2
	@$(call setup,build-gcc-thread,$(thread),$(gcc))
	@tools/run-tests build-gcc-thread --timeout-multiplier 4
	@$(call setup,build-clang-address,$(address),$(clang))
	@tools/run-tests build-clang-address --timeout-multiplier 2
	@$(call setup,build-clang-thread,$(thread),$(clang))
	@tools/run-tests build-clang-thread --timeout-multiplier 4
	@$(call setup,build-valgrind)
	@tools/run-tests build-valgrind --suite unit --timeout-multiplier 10 \
		--wrapper 'valgrind -q --error-exitcode=99 --leak-check=full'

coverage: ## measure which lines the tests reach; fails under 90 %
	@$(DEPS) build test coverage
	@$(call setup,build-coverage,-Db_coverage=true -Dc_args=-fprofile-update=atomic)
	@tools/run-tests build-coverage
	@$(unwalled) --suite carriers
	@$(unwalled) 'agent command' 'vhost agent' 'vhost monitors' 'e2e life' 'e2e models' 'e2e tenants'
	@gcovr --root . --filter lib/ --filter ops/ --filter transport/ --filter agent/ --filter plugins/remote/ \
		--fail-under-line 90 --print-summary --html-details build-coverage/coverage.html build-coverage

fuzz: ## run each fuzz target for FUZZ_SECONDS (60)
	@$(DEPS) build fuzz
	@$(call setup,build-fuzz,-Dfuzz=true -Dtests=false $(address),$(clang))
	@ninja -C build-fuzz
	@tools/run-fuzz build-fuzz $(FUZZ_SECONDS)

fuzz-long: ## let decoder, agent and client take ten million messages each; an hour or more
	@$(DEPS) build fuzz
	@$(call setup,build-fuzz,-Dfuzz=true -Dtests=false $(address),$(clang))
	@ninja -C build-fuzz
	@MESSAGES=10000000 tools/run-fuzz build-fuzz 0 message agent client

cross: ## build for ARCH (arm64, or armhf: 32 bits) and run what tests qemu-user can
	@$(DEPS) build test $(ARCH)
	@$(call setup,build-$(ARCH),--cross-file .deps/$(ARCH).ini -Donnx=disabled -Dtf=disabled -Dtflite=disabled)
	@tools/run-tests build-$(ARCH) --suite unit --suite wire --suite tls --suite transport --timeout-multiplier 3

bench: build ## measure calls and inference beside what the machine can do at best
	@model=$$(tools/mobilenet ../shared/data build/mobilenet_v2) && for suite in $(SUITES); do \
		case $$suite in \
			call | sgemm) with= ;; \
			tf | tflite | torch) with=$$(ls ../shared/data/models/$$suite/mobilenet*.{pb,pt,tflite} 2>/dev/null) ;; \
			*) with=$${model:+$$model -p ../shared/data/images/banana_0.jpg} ;; \
		esac; \
		$(stage)/bin/vaccel bench $$suite $$with || exit; \
	done

bench-vm: build ## measure calls out of a virtual machine beside what its devices can do at best
	@$(DEPS) vm
	@tools/vm/module build/vm/virtio_vaccel.ko
	@tools/vm/bench $(stage) build/vm/virtio_vaccel.ko

docs: ## build the API pages and the manual pages
	@$(DEPS) build docs
	@$(call setup,build)
	@ninja -C build docs
	@echo 'API: build/docs/api/README.md; manual pages: man -l build/docs/man3/NAME.3'

clean: ## remove what was built, but not what was fetched
	rm -rf build build-*

.PHONY: help demo demo-vm test test-options test-kasan test-kills test-kernels test-leaks build install format lint size sanitize coverage fuzz fuzz-long cross bench bench-vm docs clean
