# SPDX-License-Identifier: Apache-2.0
#
# The one time limit of the tests. What a test waits for is a state, and a machine may take as long as
# it needs to come to it; only what has not come in ten minutes hangs.

package Genflow::Limit;

use strict;
use warnings;

use parent 'Exporter';

our @EXPORT = qw(HANG_LIMIT);

use constant HANG_LIMIT => 600;      # seconds

1;
