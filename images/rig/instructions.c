/* Counts the instructions that a machine of QEMU executes, in a file of eight bytes that the host maps.
 *
 * One processor only: the counter is not atomic. The few words of QEMU's plugin interface that are needed
 * (version 1; Debian 12 ships no header) are declared here. gcc -shared -fPIC -O2 -o instructions.so this.c
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
extern void qemu_plugin_register_vcpu_tb_trans_cb(
    plugin_id id, void (*made)(plugin_id, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(
    struct qemu_plugin_tb *block, int operation, void *where, uint64_t number);
enum { ADD = 0 };

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
static uint64_t *counter;

static void made(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD, counter, qemu_plugin_tb_n_insns(block));
}

__attribute__((visibility("default"))) int qemu_plugin_install(
    plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "count=", 6) != 0)
        return 1;
    int file = open(argv[0] + 6, O_RDWR);
    if (file < 0)
        return 1;
    counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (counter == MAP_FAILED)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, made);
    return 0;
}
