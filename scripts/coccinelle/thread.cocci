// SPDX-License-Identifier: GPL-2.0
/// Find values that were read from current or from a CPU before a wait and are used after it.
//# After a wait the coroutine of a work item may continue in another thread and on another
//# CPU, to which the value does not belong. Read it again.
//#
//# The rule sees only waits in the function itself, not those in functions that it calls. It
//# does not see that the compiler keeps current: see include/current/asm/current.h.
///
// Confidence: Moderate
// Comments: Code that spatch cannot parse is not checked: see spatch --parse-c.
// Options: --no-includes --include-headers

virtual report
virtual org
virtual context

@initialize:python@
@@
import re

# Python's regular expressions, because Coccinelle's own depend on its build: PCRE's or those
# of OCaml's Str.
WAITS = re.compile('costack_(park|yield|sleep|wait|wait_event(_timeout)?|chan_(send|recv)(_timeout)?|select(_timeout)?)$')

@taken@
local idexpression v;
expression E;
identifier f;
symbol current;
position p;
@@
(
 v@p = current
|
 v@p = get_current()
|
 v@p = current_thread_info()
|
 v@p = current_cred()
|
 v@p = current->f
|
 v@p = \(this_cpu_ptr\|raw_cpu_ptr\|get_cpu_ptr\|per_cpu_ptr\)(E, ...)
)

@used exists@
local idexpression taken.v;
expression X;
identifier g;
identifier w : script:python() { bool(WAITS.match(w)) };
position taken.p, q;
@@
v@p = X
... when any
    when != v = X
w(...)
... when any
    when != v = X
(
 v@q->g
|
 *v@q
)

@depends on context@
local idexpression taken.v;
position used.q;
@@
* v@q

@script:python depends on report@
v << taken.v;
q << used.q;
@@
coccilib.report.print_report(q[0], 'WARNING: %s: %s was taken before a wait' %
                             (q[0].current_element, v))

@script:python depends on org@
v << taken.v;
q << used.q;
@@
coccilib.org.print_todo(q[0], 'WARNING: %s: %s was taken before a wait' %
                        (q[0].current_element, v))
