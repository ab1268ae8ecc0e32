#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# genflow.js keeps its promises (t/js/genflow.checks.js) in a program: one picture and one charge, whatever
# is lost, pressed twice or loaded anew.
use Genflow::Test;
use Genflow::Script;

run_checks('node', 'genflow.checks.js');
finish;
