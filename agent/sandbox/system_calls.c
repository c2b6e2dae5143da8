// SPDX-License-Identifier: Apache-2.0
/*
 * System calls: who makes them, and why they are let through or not. Names are
 * libseccomp's; one that a machine does not have is passed over there. What is
 * permitted to NOBODY is for plugins that name it in their needs.
 */
#include "agent/sandbox/system_calls.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/util.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#define ARCH_SET_FS	    0x1002
#define ARCH_GET_XCOMP_PERM 0x1022 /* asm/prctl.h, which only x86 has */
#define ARCH_REQ_XCOMP_PERM 0x1023
#define FIOSETOWN	    0x8901 /* asm/sockios.h */
#define SIOCSPGRP	    0x8902

#define WHEN(test, number, name, value) .when = {test, number, value, #name, #value}
#define NEW_NAMESPACE                                                                  \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)
#define MAP_UNCOUNTED (MAP_SHARED | MAP_ANONYMOUS)

/* clang-format off */
static const struct system_call rows[] = {
	/* Connections and files that are open */
	{"read readv pread64 preadv", ALL, PERMIT,
	 .reason = "take bytes from files, connections and events"},
	{"write writev pwrite64 pwritev", ALL, PERMIT,
	 .reason = "give bytes to files, connections and events"},
	{"recvmsg recvfrom recv recvmmsg recvmmsg_time64", ALL, PERMIT,
	 .reason = "receive messages, and descriptors that come with them"},
	{"sendto send", ALL, PERMIT, .reason = "send messages"},
	{"sendto", ALL, REFUSE, WHEN(IS_NOT, 4, address, 0),
	 .reason = "would reach any socket file that it names, in the agent's name"},
	{"sendmsg", FRONT | MONITOR, PERMIT,
	 .reason = "pass on connections; by a file of the host's a worker's client would leave its "
		   "container"},
	{"sendmsg", FRONT | MONITOR, REFUSE, WHEN(HAS, 2, flags, MSG_FASTOPEN),
	 .reason = "would connect a TCP socket to whom it names"},
	{"sendmmsg", NOBODY, PERMIT, .reason = "as sendmsg, by flags that no filter sees"},
	{"shutdown", ALL, PERMIT, .reason = "end a connection"},
	{"getsockopt setsockopt getsockname getpeername", ALL, PERMIT,
	 .reason = "set up connections, and ask who is at their other end"},
	{"setsockopt", ALL, REFUSE, WHEN(IS, 2, option, SO_LINGER),
	 .reason = "would have whoever closes the connection wait, to whom it may be passed"},
	{"close close_range", ALL, PERMIT, .reason = "close descriptors"},
	{"dup dup2 dup3", ALL, PERMIT, .reason = "keep a descriptor past its owner's end"},
	{"fcntl fcntl64", ALL, PERMIT, .reason = "locks, seals, and modes of descriptors"},
	{"fcntl fcntl64", ALL, KILL, WHEN(IS, 1, command, F_SETOWN),
	 .reason = "would have the kernel signal another process"},
	{"fcntl fcntl64", ALL, KILL, WHEN(IS, 1, command, F_SETOWN_EX),
	 .reason = "would have the kernel signal another process"},
	{"fcntl fcntl64", ALL, KILL, WHEN(IS, 1, command, F_SETSIG),
	 .reason = "would choose the signal for that"},
	{"fcntl fcntl64", ALL, REFUSE, WHEN(IS, 1, command, F_SETLEASE),
	 .reason = "would have others wait who write to a file that is only to be read"},
	{"ioctl", ALL, PERMIT, WHEN(IS, 1, request, TCGETS), .reason = "isatty(), before output"},
	{"ioctl", ALL, PERMIT, WHEN(IS, 1, request, FIONREAD), .reason = "how much waits"},
	{"ioctl", ALL, PERMIT, WHEN(IS, 1, request, FIONBIO), .reason = "whether to wait"},
	{"ioctl", WORKER, PERMIT, .need = NEED_DEVICES,
	 .reason = "drivers have requests of their own; Landlock limits which devices"},
	{"ioctl", ALL, KILL, WHEN(IS, 1, request, TIOCSTI),
	 .reason = "would type into the agent's terminal"},
	{"ioctl", ALL, KILL, WHEN(IS, 1, request, TIOCLINUX),
	 .reason = "would paste into the agent's terminal"},
	{"ioctl", ALL, KILL, WHEN(IS, 1, request, FIOSETOWN),
	 .reason = "would have the kernel signal another process"},
	{"ioctl", ALL, KILL, WHEN(IS, 1, request, SIOCSPGRP),
	 .reason = "would have the kernel signal another process"},

	/* Waiting */
	{"poll ppoll ppoll_time64", ALL, PERMIT, .reason = "wait for connections"},
	{"select _newselect pselect6 pselect6_time64", ALL, PERMIT,
	 .reason = "wait for connections"},
	{"epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2", ALL, PERMIT,
	 .reason = "wait for many connections"},
	{"eventfd2 pipe pipe2", ALL, PERMIT, .reason = "wake another thread"},
	{"timerfd_create timerfd_settime timerfd_settime64 timerfd_gettime timerfd_gettime64", ALL,
	 PERMIT, .reason = "wake up at a time"},
	{"signalfd4", ALL, PERMIT, .reason = "wait for signals beside connections"},

	/* New connections */
	{"accept accept4", MONITOR, PERMIT, .reason = "serve the admin socket and HTTP"},
	{"socketpair", FRONT, PERMIT, .reason = "the plain end of a connection over TLS"},
	{"socketpair", FRONT, REFUSE, WHEN(HAS, 1, type, SOCK_DGRAM),
	 .reason = "a datagram goes to any socket file that it names: the log, the service manager"},
	{"splice", FRONT, PERMIT, .reason = "pass bytes on"},
	{"sendfile sendfile64", MONITOR, PERMIT, .reason = "libmicrohttpd's way to answer"},
	{"socket", ALL, REFUSE,
	 .reason = "libraries ask for name services; a new socket could reach anybody"},
	{"connect bind listen", NOBODY, PERMIT,
	 .reason = "an open socket could be made to reach others"},
	{"connect", FRONT, PERMIT, WHEN(IS, 2, size, sizeof(sa_family_t)),
	 .reason = "drop what a client does not take; an address so short is nobody's"},
	{"connect", FRONT, KILL, WHEN(IS_NOT, 2, size, sizeof(sa_family_t)),
	 .reason = "would reach others"},

	/* Files; which ones, Landlock says */
	{"open openat openat2", ALL, PERMIT, .reason = "read libraries, models and settings"},
	{"stat stat64 lstat lstat64 fstat fstat64 newfstatat fstatat64 statx", ALL, PERMIT,
	 .reason = "ask what a file is"},
	{"access faccessat faccessat2 readlink readlinkat getcwd", ALL, PERMIT,
	 .reason = "find a file"},
	{"statfs statfs64 fstatfs fstatfs64", ALL, PERMIT,
	 .reason = "tell huge pages from others, and see what room there is"},
	{"getdents getdents64", ALL, PERMIT, .reason = "list directories"},
	{"lseek _llseek", ALL, PERMIT, .reason = "read files from where one likes"},
	{"fadvise64 fadvise64_64 arm_fadvise64_64 readahead", WORKER, PERMIT,
	 .reason = "say how models are read"},
	{"mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat", WORKER,
	 PERMIT, .reason = "keep resources and run-time files in the tenant's directory"},
	{"ftruncate ftruncate64 fallocate fsync fdatasync copy_file_range umask flock", WORKER,
	 PERMIT, .reason = "write the files there"},
	{"chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32",
	 ALL, REFUSE,
	 .reason = "who may open a file is not for a tenant to say, and Landlock does not see it"},
	{"utime utimes utimensat utimensat_time64 futimesat setxattr fsetxattr lsetxattr "
	 "removexattr fremovexattr lremovexattr", ALL, REFUSE,
	 .reason = "marks on files of others, which Landlock does not see"},
	{"mknod mknodat", NOBODY, KILL, .reason = "would make devices"},

	/* Memory */
	{"mmap mmap2", ALL, PERMIT, .reason = "memory, regions of clients, models"},
	{"mmap mmap2", ALL, REFUSE, WHEN(HAS, 2, protection, PROT_EXEC),
	 .need = NEED_JIT | NEED_CODE | NEED_CHILDREN,
	 .reason = "new code; only for plugins that make it, load it, or start programs"},
	{"mmap mmap2", WORKER, REFUSE, WHEN(HAS, 3, flags, MAP_UNCOUNTED),
	 .reason = "shared memory that the limit on data does not count"},
	{"mmap mmap2", ALL, REFUSE, WHEN(HAS, 3, flags, MAP_GROWSDOWN),
	 .reason = "memory that the limit on data does not count"},
	{"mprotect pkey_mprotect", ALL, PERMIT, .reason = "stacks of threads, and their guards"},
	{"mprotect pkey_mprotect", ALL, REFUSE, WHEN(HAS, 2, protection, PROT_EXEC),
	 .need = NEED_JIT, .reason = "data made code; only for plugins that make code"},
	{"munmap mremap brk madvise msync mincore", ALL, PERMIT,
	 .reason = "memory, given back or moved"},
	{"mlock munlock mlock2", WORKER, PERMIT, .reason = "keep memory that devices read"},
	{"membarrier", ALL, PERMIT, .reason = "order what threads see"},
	{"memfd_create", NOBODY, PERMIT, .reason = "memory that the limit on data does not count"},

	/* Threads */
	{"clone", ALL, PERMIT, .reason = "start threads"},
	{"clone", ALL, KILL, WHEN(LACKS, 0, flags, CLONE_THREAD), .need = NEED_CHILDREN,
	 .reason = "a process; only for plugins that start some"},
	{"clone", ALL, KILL, WHEN(HAS, 0, flags, CLONE_PARENT),
	 .reason = "would leave the supervisor a child that it does not know, and so never buries"},
	{"clone", ALL, KILL, WHEN(HAS_ANY, 0, flags, NEW_NAMESPACE),
	 .reason = "would open parts of the kernel that are for administrators"},
	{"clone3", ALL, LACK, .reason = "its flags cannot be looked at; libc then takes clone"},
	{"futex futex_time64 futex_waitv", ALL, PERMIT, .reason = "wait for other threads"},
	{"set_robust_list set_tid_address rseq set_tls cacheflush gettid", ALL, PERMIT,
	 .reason = "what libc does as a thread begins"},
	{"arch_prctl", WORKER, PERMIT, WHEN(IS, 0, option, ARCH_GET_XCOMP_PERM),
	 .reason = "whether there are matrix registers"},
	{"arch_prctl", WORKER, PERMIT, WHEN(IS, 0, option, ARCH_REQ_XCOMP_PERM),
	 .reason = "use matrix registers"},
	{"exit exit_group", ALL, PERMIT, .reason = "end"},
	{"sched_yield sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_max "
	 "sched_get_priority_min getcpu", ALL, PERMIT, .reason = "share the processor"},
	{"sched_setaffinity", WORKER, PERMIT, .reason = "place a thread of one's own"},
	{"sched_setaffinity", WORKER, REFUSE, WHEN(IS_NOT, 0, pid, 0),
	 .reason = "the thread of that number may be another tenant's"},

	/* Signals */
	{"rt_sigaction rt_sigprocmask rt_sigreturn sigreturn sigaltstack rt_sigsuspend "
	 "rt_sigpending rt_sigtimedwait rt_sigtimedwait_time64 pause", ALL, PERMIT,
	 .reason = "take signals"},
	{"restart_syscall", ALL, PERMIT, .reason = "the kernel's, after a signal"},
	{"kill tgkill", ALL, PERMIT, .reason = "abort(), pthread_kill()"},
	{"kill tgkill", ALL, KILL, WHEN(IS_NOT, 0, pid, OWN_PID),
	 .reason = "would signal another process"},
	{"tkill rt_sigqueueinfo rt_tgsigqueueinfo", NOBODY, KILL,
	 .reason = "would signal another process"},

	/* Time, and what machine it is */
	{"clock_gettime clock_gettime64 clock_getres clock_getres_time64 gettimeofday time times "
	 "getrusage", ALL, PERMIT, .reason = "ask for the time"},
	{"nanosleep clock_nanosleep clock_nanosleep_time64", ALL, PERMIT, .reason = "sleep"},
	{"uname sysinfo", ALL, PERMIT, .reason = "ask what machine it is"},
	{"getpid getppid getpgrp getuid getuid32 geteuid geteuid32 getgid getgid32 getegid "
	 "getegid32 getgroups getgroups32 getresuid getresuid32 getresgid getresgid32", ALL,
	 PERMIT, .reason = "ask who one is"},
	{"getrandom", ALL, PERMIT, .reason = "random numbers for keys and tokens"},
	{"prlimit64 getrlimit ugetrlimit", ALL, PERMIT, .reason = "ask for one's own limits"},
	{"prlimit64", ALL, REFUSE, WHEN(IS_NOT, 0, pid, 0),
	 .reason = "the process of that number may be another tenant's"},
	{"prlimit64", ALL, REFUSE, WHEN(IS_NOT, 2, new_limit, 0),
	 .reason = "limits are the policy's"},
	{"prctl", ALL, PERMIT, WHEN(IS, 0, option, PR_SET_NAME), .reason = "names of threads"},
	{"prctl", ALL, PERMIT, WHEN(IS, 0, option, PR_GET_NAME), .reason = "names of threads"},
	{"prctl", ALL, PERMIT, WHEN(IS, 0, option, PR_SET_VMA), .reason = "names of memory"},

	/* Processes of plugins that start some */
	{"execve execveat fork vfork wait4 waitid waitpid getpgid chdir fchdir", WORKER, PERMIT,
	 .need = NEED_CHILDREN, .reason = "start programs, and see how they end"},
	{"setpgid setsid", WORKER, REFUSE,
	 .reason = "what leaves the worker's group of processes would not end with it"},
	{"arch_prctl", WORKER, PERMIT, WHEN(IS, 0, option, ARCH_SET_FS), .need = NEED_CHILDREN,
	 .reason = "what libc does as a program begins"},

	/* What nobody here has any business with */
	{"ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_open pidfd_getfd "
	 "pidfd_send_signal", NOBODY, KILL, .reason = "would reach into other processes"},
	{"bpf userfaultfd perf_event_open io_uring_setup io_uring_enter io_uring_register", NOBODY,
	 KILL, .reason = "wide ways into the kernel; io_uring also goes around this table"},
	{"keyctl add_key request_key", NOBODY, KILL, .reason = "keys that users share"},
	{"unshare setns", NOBODY, KILL,
	 .reason = "would open parts of the kernel that are for administrators"},
	{"mount umount umount2 move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr "
	 "pivot_root chroot name_to_handle_at open_by_handle_at", NOBODY, KILL,
	 .reason = "would go around the walls between files"},
	{"setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid "
	 "setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups "
	 "setgroups32 capset personality", NOBODY, KILL, .reason = "would make it somebody else"},
	{"init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff "
	 "acct quotactl quotactl_fd sethostname setdomainname settimeofday clock_settime "
	 "clock_settime64 adjtimex clock_adjtime clock_adjtime64 syslog vhangup iopl ioperm "
	 "modify_ldt vm86", NOBODY, KILL, .reason = "would change the machine"},
};
/* clang-format on */

const struct system_call *system_call_at(size_t index)
{
	return index < ARRAY_SIZE(rows) ? &rows[index] : NULL;
}

bool system_call_next(const char **at, char ret_name[SYSTEM_CALL_NAME_MAX])
{
	size_t length = strcspn(*at, " ");

	if (!length)
		return false;
	*(char *)mempcpy(ret_name, *at, MIN_OF(length, SYSTEM_CALL_NAME_MAX - 1)) = '\0';
	*at += length;
	*at += strspn(*at, " ");
	return true;
}

bool system_call_holds(const struct system_call *row, enum sandbox_role role, unsigned int needs)
{
	if (row->verdict == PERMIT)
		return row->roles & ROLE(role) && (!row->need || row->need & needs);
	return (row->roles & ROLE(role) || row->roles == NOBODY) && !(row->need & needs);
}
