// SPDX-License-Identifier: GPL-2.0
/// Find addresses of local variables that are kept where copystack does not adjust them.
//# A module with MODULE_COSTACK_MOVABLE() promises that there are none. Register
//# the pointer with costack_track(), keep it only between costack_pin() and
//# costack_unpin(), or use an object on the heap.
//#
//# A finding is not an error in a function that never runs on a coroutine stack, or
//# whose caller has pinned the stack or tracked the pointer: the rule does not see
//# that. Nor does it see what a function does with an address that it gets, unless
//# the function is one of those named below.
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
from collections import defaultdict

local = set()              # where a local variable is named
pointer = set()            # ... one that is a pointer
array = set()              # ... one that is an array: its name is an address
holder = set()             # ... one that has been given an address of the stack
declared = {}              # locals of macros: whether their name is an address
parameter = set()          # (file, function, name) of parameters
taken = defaultdict(list)  # by file: span of "&lvalue", place of lvalue, lvalue
name = defaultdict(list)   # by file: spans of names of arrays and holders
lost = defaultdict(list)   # by file: spans of operands whose address goes no further
hidden = defaultdict(list) # by file: spans of operands that an operator disguises
minus = defaultdict(list)  # by file: spans of both operands, and what they are
kept = {}                  # span of an address: what keeps it, and where
loose = set()              # spans of addresses kept with the stack not pinned

# These return their argument, or a form of it.
PASSES = re.compile('(__)?cpu_to_[bl]e|(container_of|list_entry|PTR_ALIGN|ALIGN|READ_ONCE|'
                    'xa_tag_pointer|min|max)$')

# These macros declare a name that is an address: of an array, or of an object behind it.
MACRO_ADDRESS = re.compile('HASHTABLE|_ON_STACK')

# Macros that spatch takes for calls. All regular expressions here are Python's, because
# Coccinelle's own depend on its build: PCRE's or those of OCaml's Str.
MACRO_CALL = re.compile('(DECLARE|DEFINE)_|H?L?LIST_HEAD$|.*_ON_?STACK$')

WAITS = re.compile('s?wait_event(_(idle|(interrupt|kill|freez)[ai]ble|(hr)?timeout|exclusive|'
                   'lock_irq|cmd|locked|irq|irqsave|state))*$|wait_var_event')

REGISTERS = re.compile('_*register_')

TO_INTEGER = re.compile(r'\( [\w ]+ \) ')

# A place is the beginning of something, a span its beginning and end.
def place(p):
    return p.file, int(p.line), int(p.column)

def span(p, q=None):
    q = q or p
    return place(p), (q.file, int(q.line_end), int(q.column_end))

def within(inner, outer):
    return outer[0] <= inner[0] and inner[1] <= outer[1]

def key(p, name):
    return p.file, p.current_element, name

# Whether the lvalue at p, or something that it is a part of, is on the stack.
def on_stack(p, text):
    root, *rest = text.split()
    if root == '(' and '{' in rest:
        return True                        # a compound literal
    if root == '*' and len(rest) == 1 or re.match(r'\( \* \w+ \)( [^-]|$)', text):
        return (p.file, int(p.line), int(p.column) + 1 + (root == '(')) in holder
    path, depth = [], 0
    for word in rest:
        depth -= word in ')]'
        if not depth:
            path.append(word)
        depth += word in '(['
    if place(p) in array | holder or declared.get(key(p, root)):
        if path[:1] == ['->']:
            path = path[1:]
    elif place(p) in pointer:
        return not path
    elif place(p) not in local and key(p, root) not in declared:
        return False
    return '->' not in path

# The spans of the addresses of the stack to which the expression at p may evaluate.
def addresses(p):
    value = span(p)
    found = [a for a, q, text in taken[p.file] if within(a, value) and on_stack(q, text)]
    found += [a for a in name[p.file] if within(a, value)]
    if not found:
        return found
    gone = [s for s in lost[p.file] if within(s, value) and s != value]
    for left, right, to_pointer, cast in minus[p.file]:
        l, r = (any(within(a, s) for a in found) for s in (left, right))
        if within(left, value) and (to_pointer or r) and not (cast and l != r):
            gone += [left, right]
    return [a for a in found if not any(within(a, s) for s in gone)]

# Note that the addresses in found are kept, in lvalue if it is given.
def keep(found, what, lvalue=None):
    for a in found:
        kept.setdefault(a, (what, lvalue))

# Note that the pointer at text is tracked when the address at p is stored.
def follow(p, text):
    if kept[span(p)][1] and kept[span(p)][1] in (re.sub('^& ', '', text), '* ' + text):
        loose.discard(span(p))

def disguised(p):
    return [a for a in addresses(p)
            if any(within(a, s) and within(s, span(p)) for s in hidden[p.file])]

def readable(text):
    return re.sub(r' ?(->|[.()[\]]) ?|(?<=[&*~]) ', r'\1', text)

def message(p):
    return 'WARNING: %s: address of a local %s' % (p.current_element, kept[span(p)][0])

// --- Variables on the stack ------------------------------------------------------

@named@
local idexpression v;
position p;
@@
v@p

@script:python@
p << named.p;
@@
local.add(place(p[0]))

@to_pointer@
type T;
local idexpression T *v;
position p;
@@
v@p

@script:python@
p << to_pointer.p;
@@
pointer.add(place(p[0]))

// A parameter whose type is an array is a pointer.
@array_parameter@
identifier fn, x;
type T;
position p;
@@
fn(..., T x@p[...], ...) { ... }

@script:python@
fn << array_parameter.fn;
x << array_parameter.x;
p << array_parameter.p;
@@
parameter.add((p[0].file, fn, x))

@in_array@
type T;
local idexpression T[] v;
position p;
@@
v@p

@script:python@
v << in_array.v;
p << in_array.p;
@@
if key(p[0], v) in parameter:
    pointer.add(place(p[0]))
else:
    array.add(place(p[0]))
    name[p[0].file].append(span(p[0]))

// The name in a declaration is not an expression.
@declared_name@
type T;
identifier v;
expression X;
position p;
@@
T v@p = X;

@script:python@
p << declared_name.p;
@@
local.add(place(p[0]))

// Macros that declare variables: spatch takes some of them for calls.
@static_macro@
declarer m;
identifier x;
position p;
@@
static m(x@p, ...);

@macro@
declarer m;
identifier x;
position p != static_macro.p;
@@
m(x@p, ...);

@script:python@
m << macro.m;
x << macro.x;
p << macro.p;
@@
declared[key(p[0], x)] = bool(MACRO_ADDRESS.search(m))

@macro_call@
identifier m : script:python() { bool(MACRO_CALL.match(m)) };
expression x;
position p;
@@
m(x@p, ...);

@script:python@
m << macro_call.m;
x << macro_call.x;
p << macro_call.p;
@@
declared[key(p[0], x)] = bool(MACRO_ADDRESS.search(m))

@macro_named@
global idexpression v;
position p;
@@
v@p

@script:python@
v << macro_named.v;
p << macro_named.p;
@@
if declared.get(key(p[0], v)):
    name[p[0].file].append(span(p[0]))

@address_of@
expression X;
position a, x;
@@
 &@a X@x

@script:python@
X << address_of.X;
a << address_of.a;
x << address_of.x;
@@
taken[a[0].file].append((span(a[0], x[0]), x[0], X))

// --- Uses that do not keep the address --------------------------------------------

@member@
expression X;
identifier f;
position p;
@@
X@p->f

@script:python@
p << member.p;
@@
lost[p[0].file].append(span(p[0]))

@element@
expression X, Y;
position p, q;
@@
X@p[Y@q]

@script:python@
p << element.p;
q << element.q;
@@
lost[p[0].file] += [span(p[0]), span(q[0])]

@content@
expression X;
position p;
@@
 *X@p

@script:python@
p << content.p;
@@
lost[p[0].file].append(span(p[0]))

@operand_size@
expression X;
position p;
@@
sizeof(X@p)

@script:python@
p << operand_size.p;
@@
lost[p[0].file].append(span(p[0]))

@comparison@
expression X, Y;
binary operator op = {==, !=, <, >, <=, >=, &&, ||};
position p, q;
@@
X@p op Y@q

@script:python@
p << comparison.p;
q << comparison.q;
@@
lost[p[0].file] += [span(p[0]), span(q[0])]

@negation@
expression X;
position p;
@@
!X@p

@script:python@
p << negation.p;
@@
lost[p[0].file].append(span(p[0]))

@condition@
expression X, Y, Z;
position p;
@@
X@p ? Y : Z

@script:python@
p << condition.p;
@@
lost[p[0].file].append(span(p[0]))

// What a function does with its argument is not checked here.
@argument@
expression F, X;
position p;
@@
F(..., X@p, ...)

@script:python@
F << argument.F;
p << argument.p;
@@
if not PASSES.match(F):
    lost[p[0].file].append(span(p[0]))

// A length is not an address; but a difference of integers can be an address in disguise.
@minus@
expression X, Y;
position p, q;
@@
X@p - Y@q

@script:python@
X << minus.X;
Y << minus.Y;
p << minus.p;
q << minus.q;
@@
operands = [span(p[0]), span(q[0])]
cast = bool(TO_INTEGER.match(X) or TO_INTEGER.match(Y))
minus[p[0].file].append((*operands, place(q[0]) in pointer, cast))
if cast:
    hidden[p[0].file] += operands

@operation@
expression X, Y;
binary operator op = {|, ^, <<, >>, *, /};
position p, q;
@@
X@p op Y@q

@script:python@
p << operation.p;
q << operation.q;
@@
hidden[p[0].file] += [span(p[0]), span(q[0])]

@complement@
expression X;
position p;
@@
~X@p

@script:python@
p << complement.p;
@@
hidden[p[0].file].append(span(p[0]))

// --- Local variables that hold an address ------------------------------------------

@takes@
local idexpression v;
expression X;
position p, x;
@@
v@p = X@x

@script:python@
x << takes.x;
@@
if not addresses(x[0]):
    cocci.include_match(False)

@holds exists@
local idexpression takes.v;
position takes.p, u;
expression X, Y;
@@
v@p = X
... when any
    when != v = Y
v@u

@script:python@
u << holds.u;
@@
holder.add(place(u[0]))
name[u[0].file].append(span(u[0]))

// --- Uses that keep the address --------------------------------------------------

@stored@
expression X, Y;
position p, q;
@@
(
 X@p = Y@q
|
 \(WRITE_ONCE\|rcu_assign_pointer\|RCU_INIT_POINTER\|this_cpu_write\|raw_cpu_write\)
   (X@p, Y@q)
)

@script:python@
X << stored.X;
p << stored.p;
q << stored.q;
@@
keep(disguised(q[0]), 'is kept in disguise')
if not on_stack(p[0], X):
    keep(addresses(q[0]), 'is kept in ' + readable(X), X)

@filled@
type T;
identifier v;
initializer I;
position p;
@@
T v = I@p;

@script:python@
p << filled.p;
@@
keep(disguised(p[0]), 'is kept in disguise')

@changed@
expression X, Y;
assignment operator op = {|=, ^=, <<=, >>=, *=, /=, +=, -=};
position p, q;
@@
X@p op Y@q

@script:python@
op << changed.op;
p << changed.p;
q << changed.q;
@@
keep(addresses(q[0]), 'is kept in disguise')
if place(p[0]) in holder and op not in ('+=', '-='):
    keep([span(p[0])], 'is kept in disguise')

@written@
expression P, X;
position p, q;
@@
(
 \(smp_store_release\|smp_store_mb\|xchg\|xchg_acquire\|xchg_release\|xchg_relaxed\|
   atomic_long_set\|atomic_long_xchg\|atomic64_set\|atomic64_xchg\|hash_add\|hash_add_rcu\)
   (P@p, X@q, ...)
|
 \(cmpxchg\|cmpxchg_acquire\|cmpxchg_release\|cmpxchg_relaxed\|try_cmpxchg\)(P@p, ..., X@q)
|
 \(llist_add\|plist_add\|rb_add\|rb_add_cached\)(X@q, P@p, ...)
|
 \(rb_link_node\|rb_link_node_rcu\)(X@q, ..., P@p)
)

@script:python@
P << written.P;
p << written.p;
q << written.q;
@@
if not addresses(p[0]):
    keep(addresses(q[0]), 'is kept at ' + readable(P))

// Each of the two gets the address of the other.
@linked@
expression X, Y;
position p, q;
@@
(
 \(list_add\|list_add_tail\|list_add_rcu\|list_add_tail_rcu\|list_move\|list_move_tail\|
   hlist_add_head\|hlist_add_head_rcu\|hlist_add_tail_rcu\|hlist_add_before\|
   hlist_add_behind\|hlist_bl_add_head\|list_swap\|add_wait_queue\|add_wait_queue_exclusive\|add_wait_queue_priority\|
   __add_wait_queue\|__add_wait_queue_entry_tail\)(X@p, Y@q)
|
 \(list_cut_position\|list_cut_before\|list_bulk_move_tail\|
   prepare_to_wait\|prepare_to_wait_exclusive\|prepare_to_wait_event\|
   prepare_to_swait_exclusive\|prepare_to_swait_event\)(X@p, Y@q, ...)
)

@script:python@
X << linked.X;
Y << linked.Y;
p << linked.p;
q << linked.q;
@@
here, there = addresses(p[0]), addresses(q[0])
if not there:
    keep(here, 'is linked to ' + readable(Y))
if not here:
    keep(there, 'is linked to ' + readable(X))

@spliced@
expression X, Y;
position p, q;
@@
 \(list_splice\|list_splice_init\|list_splice_tail\|list_splice_tail_init\|
   list_splice_init_rcu\|hlist_move_list\|list_replace\|list_replace_init\|
   hlist_replace_rcu\|list_replace_rcu\|rb_replace_node\)(X@p, Y@q, ...)

@script:python@
X << spliced.X;
p << spliced.p;
q << spliced.q;
@@
if not addresses(p[0]):
    keep(addresses(q[0]), 'is linked to what was at ' + readable(X))

@started@
expression X;
position p;
@@
(
 \(timer_setup_on_stack\|hrtimer_init_on_stack\|hrtimer_init_sleeper_on_stack\|
   init_rcu_head_on_stack\|INIT_WORK_ONSTACK\|INIT_DELAYED_WORK_ONSTACK\|
   INIT_DEFERRABLE_WORK_ONSTACK\|mod_timer\|mod_timer_pending\|add_timer\|add_timer_on\|
   timer_reduce\|hrtimer_start\|hrtimer_start_range_ns\|hrtimer_start_expires\|
   hrtimer_restart\|call_rcu\|call_rcu_hurry\|call_rcu_tasks\|schedule_work\|
   schedule_delayed_work\|tasklet_schedule\|tasklet_hi_schedule\|irq_work_queue\|
   irq_work_queue_on\|costack_queue\)(X@p, ...)
|
 \(queue_work\|queue_delayed_work\|mod_delayed_work\|queue_rcu_work\|kthread_queue_work\|
   kthread_queue_delayed_work\|schedule_work_on\|call_srcu\|task_work_add\|
   queue_work_on\|queue_delayed_work_on\|mod_delayed_work_on\|
   smp_call_function_single_async\)(..., X@p, ...)
)

@script:python@
p << started.p;
@@
keep(addresses(p[0]), 'is kept for what runs later')

@given@
expression E, F, X;
identifier f : script:python() { bool(REGISTERS.match(f)) };
position p;
@@
(
 \(kthread_run\|kthread_run_on_cpu\|kthread_create\|kthread_create_on_node\|
   kthread_create_on_cpu\)(E, X@p, ...)
|
 \(request_irq\|request_threaded_irq\|dev_set_drvdata\|platform_set_drvdata\|
   pci_set_drvdata\)(..., X@p)
|
 \(xa_store\|xa_insert\|xa_alloc\|radix_tree_insert\)(E, F, X@p, ...)
|
 \(idr_alloc\|ww_mutex_lock\|ww_mutex_lock_interruptible\|ww_mutex_trylock\|
   rhashtable_walk_enter\|dma_fence_add_callback\|freq_qos_add_request\|
   atomic_notifier_chain_register\|blocking_notifier_chain_register\|
   raw_notifier_chain_register\|srcu_notifier_chain_register\)(E, X@p, ...)
|
 css_task_iter_start(E, F, X@p)
|
 \(ahash_request_set_callback\|skcipher_request_set_callback\|
   aead_request_set_callback\|usb_fill_control_urb\|usb_fill_bulk_urb\)(..., X@p)
|
 \(cpu_latency_qos_add_request\|wakeup_source_add\|poll_initwait\|submit_bio\)(X@p, ...)
|
 f(X@p, ...)
)

@script:python@
p << given.p;
@@
keep(addresses(p[0]), 'is given away')

@item@
expression F, X, Y;
position p, q;
@@
 \(costack_work_init\|__costack_work_init\)(X@p, F, Y@q, ...)

@script:python@
p << item.p;
q << item.q;
@@
keep(addresses(p[0]) + addresses(q[0]), 'is given to a work item')

// The kernel's macro declares the entry of the queue on the stack of its caller.
@waited@
identifier w : script:python() { bool(WAITS.match(w)) };
position p;
@@
w@p(...)

@script:python@
p << waited.p;
@@
keep([span(p[0])], 'is queued while this waits: use costack_wait_event()')

// --- Unless the stack is pinned, or the pointer is tracked ------------------------

@found@
expression A;
position p : script:python() { span(p[0]) in kept };
@@
A@p

@unpinned exists@
expression found.A;
position found.p, q;
identifier fn;
@@
fn(...) {
 ... when any
     when != costack_pin()
 A@p@q
 ... when any
}

@script:python@
q << unpinned.q;
@@
loose.add(span(q[0]))

@unpinned_again exists@
expression found.A;
position found.p, q;
@@
costack_unpin()
... when any
    when != costack_pin()
A@p@q

@script:python@
q << unpinned_again.q;
@@
loose.add(span(q[0]))

// costack_track() must come before the address is stored, because the call itself may
// already move the stack.
@tracked exists@
expression found.A, T;
position found.p;
@@
costack_track(T)
... when any
    when != costack_untrack(T)
A@p

@script:python@
T << tracked.T;
p << found.p;
@@
follow(p[0], T)

// --- Reports ---------------------------------------------------------------------

@escape depends on report || org@
expression A;
position p : script:python() { span(p[0]) in loose };
@@
A@p

@depends on context@
expression A;
position p : script:python() { span(p[0]) in loose };
@@
* A@p

@script:python depends on report@
p << escape.p;
@@
coccilib.report.print_report(p[0], message(p[0]))

@script:python depends on org@
p << escape.p;
@@
coccilib.org.print_todo(p[0], message(p[0]))
