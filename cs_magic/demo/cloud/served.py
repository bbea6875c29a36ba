"""The written list: every command that the demo serves, and what it is for.

All others are refused as CloudStack refuses a command that an account may not
use. The registry serves exactly these, and listApis describes them so.
"""

from __future__ import annotations

# heading -> command -> one line of what it does
BY_TOPIC: dict[str, dict[str, str]] = {
    "The data centre": {
        "listZones": "Lists the zones",
        "listPods": "Lists the pods",
        "listClusters": "Lists the clusters",
        "listHosts": "Lists the hosts, with what their machines take of them",
        "listStoragePools": "Lists the storage pools",
        "listImageStores": "Lists the secondary storage",
        "listSystemVms": "Lists the cloud's own machines",
        "listRouters": "Lists the virtual routers, one for each network",
        "listPhysicalNetworks": "Lists the physical networks",
        "listTrafficTypes": "Lists the kinds of traffic of a physical network",
        "listVlanIpRanges": "Lists the ranges of public addresses",
        "listManagementServers": "Lists the management servers",
        "listHypervisors": "Lists the hypervisors in use",
        "listRegions": "Lists the regions",
        "listInfrastructure": "Counts zones, hosts, routers and so on",
        "listConfigurations": "Lists the global settings",
    },
    "Capacity and metrics": {
        "listCapacity": "Tells how full the zones are",
        "listZonesMetrics": "Lists the zones with their metrics",
        "listClustersMetrics": "Lists the clusters with their metrics",
        "listHostsMetrics": "Lists the hosts with their metrics",
        "listStoragePoolsMetrics": "Lists the storage pools with their metrics",
        "listVirtualMachinesMetrics": "Lists the virtual machines with their metrics",
        "listVolumesMetrics": "Lists the volumes with their metrics",
        "listVirtualMachinesUsageHistory": "Lists samples of what machines used lately",
    },
    "Usage and events": {
        "listUsageRecords": "Lists what accounts used, in hours and bytes",
        "listUsageTypes": "Lists the kinds of usage records",
        "listEvents": "Lists the events, the newest page first",
        "listEventTypes": "Lists the kinds of events",
        "listAlerts": "Lists the alerts, the newest first",
        "listAsyncJobs": "Lists the jobs that are not finished: none, nothing changes here",
    },
    "Machines and disks": {
        "listVirtualMachines": "Lists the virtual machines",
        "listVolumes": "Lists the volumes",
        "listSnapshots": "Lists the snapshots of volumes",
        "listVMSnapshot": "Lists the snapshots of whole machines",
        "listNics": "Lists the NICs of a machine",
        "listInstanceGroups": "Lists the instance groups",
        "listAffinityGroups": "Lists the affinity groups",
        "listAffinityGroupTypes": "Lists the kinds of affinity groups",
        "listSSHKeyPairs": "Lists the SSH key pairs",
        "listUserData": "Lists the registered user data",
        "listTags": "Lists the tags",
        "listResourceDetails": "Lists the details of one kind of thing",
        "listAnnotations": "Lists the notes that admins left",
    },
    "Offerings and images": {
        "listServiceOfferings": "Lists the service offerings",
        "listDiskOfferings": "Lists the disk offerings",
        "listNetworkOfferings": "Lists the network offerings",
        "listVPCOfferings": "Lists the VPC offerings",
        "listTemplates": "Lists the templates, one row for each zone",
        "listIsos": "Lists the ISOs, one row for each zone",
        "listOsTypes": "Lists the OS types",
        "listOsCategories": "Lists the categories of OS types",
    },
    "Networks and what they expose": {
        "listNetworks": "Lists the networks",
        "listPublicIpAddresses": "Lists the public IP addresses",
        "listFirewallRules": "Lists the firewall rules of public addresses",
        "listEgressFirewallRules": "Lists what networks let out",
        "listPortForwardingRules": "Lists the port forwarding rules",
        "listIpForwardingRules": "Lists the rules of static NAT: there are none",
        "listLoadBalancerRules": "Lists the load balancer rules",
        "listLoadBalancerRuleInstances": "Lists the machines behind a load balancer rule",
        "listSecurityGroups": "Lists the security groups with their rules",
        "listVPCs": "Lists the VPCs with their tiers",
        "listNetworkACLLists": "Lists the access lists of VPCs",
        "listNetworkACLs": "Lists the rules of access lists",
        "listVpnGateways": "Lists the VPN gateways: there are none",
        "listVpnCustomerGateways": "Lists the far ends of VPNs: there are none",
        "listVpnConnections": "Lists the VPN connections: there are none",
    },
    "People": {
        "listDomains": "Lists the domains",
        "listDomainChildren": "Lists the domains below a domain",
        "listAccounts": "Lists the accounts",
        "listUsers": "Lists the users",
        "listUserKeys": "Lists the API keys of users",
        "getUserKeys": "Gives the API key of one user",
        "listRoles": "Lists the roles",
        "listRolePermissions": "Lists what roles may do",
        "listProjects": "Lists the projects",
        "listProjectAccounts": "Lists the accounts that take part in a project",
        "listResourceLimits": "Lists the limits of an account",
    },
    "The API itself": {
        "listApis": "Lists the commands, with their parameters and fields",
        "listCapabilities": "Tells what the cloud can do",
        "login": "Signs a user in; the session key of the answer goes with every later call",
        "logout": "Ends the session",
        "validateUserTwoFactorAuthenticationCode": "Takes the code that follows the password",
    },
}

SERVED: dict[str, str] = {
    name: text for commands in BY_TOPIC.values() for name, text in commands.items()
}
