"""Types and descriptions of fields, by name: the same word means the same in every command."""

from __future__ import annotations

from cs_magic.demo.data.totals import FIRST, LATER

# What is not named here is a string.
TYPES = {
    name: kind
    for kind, names in {
        "boolean": "allocated_ allowuserspecifyvrmtu canusefordeploy conservemode crossZones "
        "deleteprotection deployasis destroyed directdownload diskofferingstrictness "
        "disksizestrictness displayoffering displayvm displayvolume displaynetwork "
        "dynamicscalingenabled egressdefaultpolicy enabled encrypt encryptroot forcks fordisplay "
        "fornsx forprovider forsystemvms fortungsten forvirtualnetwork forvpc haenable hahost "
        "hasannotations hasrules haschild isasync iscallerchilddomain iscustomized isdefault "
        "isdynamic isdynamicallyscalable isextractable isfeatured islocalstorageactive "
        "ismultiarch isnsxenabled ispersistent isportable ispublic isready issourcenat "
        "isstaticnat issystem istagarule isuserdefined isvolatile is2faenabled is2famandated "
        "success keepmacaddressonpublicnic limitcpuuse localstorageenabled managed "
        "networkofferingconservemode offerha passwordenabled quiescevm redundantrouter required "
        "requireshvm restartrequired routedmodeenabled securitygroupsenabled specifyasnumber "
        "specifyipranges specifyvlan sshkeyenabled strechedl2subnet supportsinternallb "
        "supportspublicaccess supportsstoragesnapshot supportsstrechedl2subnet "
        "supportsvmautoscaling ueficapability additionalconfigenabled allowusercreateprojects "
        "allowuserexpungerecovervm allowuserexpungerecovervolume allowuserforcestopvm "
        "allowuserviewalldomainaccounts allowuserviewdestroyedvm dynamicrolesenabled "
        "instanceleaseenabled instancesdisksstatsretentionenabled instancesstatsuseronly "
        "kubernetesclusterexperimentalfeaturesenabled kubernetesserviceenabled kvmsnapshotenabled "
        "projectinviterequired regionsecondaryenabled snapshotshowchainsize "
        "userpublictemplateenabled defaultuse readonly isredundantrouter requiresupgrade "
        "healthchecksfailed gslbserviceenabled portableipserviceenabled cputhreshold "
        "cpudisablethreshold cpuallocatedthreshold cpuallocateddisablethreshold memorythreshold "
        "memorydisablethreshold memoryallocatedthreshold memoryallocateddisablethreshold "
        "storageusagethreshold storageusagedisablethreshold storageallocatedthreshold "
        "storageallocateddisablethreshold current adminsonly distributedvpcrouter "
        "supportsregionLevelvpc bootable vpcofferingconservemode regionlevelvpc "
        "redundantvpcrouter",
        "int": "bits",
        "integer": "accounttype cpunumber cpuspeed isomaxcount jobstatus "
        "memory networkrate privatemtu publicmtu routerprivateinterfacemaxmtu "
        "routerpublicinterfacemaxmtu vmrunning vmstopped length "
        "instancesdisksstatsretentiontime instancesstatsretentiontime sharedfsvmmincpucount "
        "sharedfsvmminramsize count timeout activeviewersessions zones pods clusters hosts "
        "storagepools imagestores backuprepositories objectstores systemvms routers ilbvms "
        "cpusockets managementservers alerts usagetype jobprocstatus jobresultcode "
        "virtualmachinecount number apilimitinterval apilimitmax",
        "long": "defaultuipagesize deviceid capacityallocated capacitybytes capacityiops "
        "capacitytotal capacityused "
        "cpuallocatedvalue customdiskofferingmaxsize customdiskofferingminsize disksize "
        "diskioread diskiowrite diskkbsread diskkbswrite disksizeallocated disksizetotal "
        "disksizeused gputotal gpuused max memoryallocated memoryallocatedbytes memoryintfreekbs "
        "memorykbs memorytargetkbs memorytotal memoryused networkkbsread networkkbswrite "
        "physicalsize receivedbytes rootdeviceid rootdisksize sentbytes size usediops "
        "virtualsize agentscount pendingjobscount diskiopstotal "
        + " ".join(f"{name}total" for name in (*FIRST, *LATER, "project") if name != "memory"),
        "double": "cpuloadaverage",
        "float": "secondarystoragetotal",
        "date": "allocated attached created lastpinged lastupdated lastserverstart "
        "lastserverstop lastboottime sent startdate enddate",
        "list": "isos user owner service downloaddetails ipranges groups "
        "capability secondaryip extradhcpoption virtualmachineIds lastagents agents stats "
        "network lbvmipaddresses",
        "set": "affinitygroup nic securitygroup tags params response ingressrule egressrule "
        "virtualmachineids",
        "map": "details domaindetails resourcedetails storagecapabilities",
    }.items()
    for name in names.split()
}

DESCRIPTIONS = {
    "id": "its id",
    "name": "its name",
    "displayname": "the name that is shown to people",
    "displaytext": "what it is, in words",
    "description": "what it is, in words",
    "account": "the account it belongs to",
    "projectid": "the id of the project it belongs to",
    "project": "the name of the project it belongs to",
    "domainid": "the id of its domain",
    "domain": "the name of its domain",
    "domainpath": "the path of its domain",
    "created": "when it was made",
    "state": "what state it is in",
    "zoneid": "the id of its zone",
    "zonename": "the name of its zone",
    "podid": "the id of its pod",
    "podname": "the name of its pod",
    "clusterid": "the id of its cluster",
    "clustername": "the name of its cluster",
    "hostid": "the id of the host it runs on",
    "hostname": "the name of the host it runs on",
    "templateid": "the id of its template",
    "templatename": "the name of its template",
    "nic": "how it is connected to networks",
    "tags": "its tags",
    "ipaddress": "its IP address",
    "cpunumber": "how many processors it has",
    "cpuspeed": "how fast a processor is, in MHz",
    "memory": "how much memory it has, in MiB",
    "cpuused": "the share of the processors that is in use, with a percent sign",
    "hypervisor": "the hypervisor it is for",
    "size": "its size in bytes",
    "lastupdated": "when its state last changed",
    "userid": "the id of the user who made it",
    "username": "the name of the user",
    "networkid": "the id of its network",
    "networkname": "the name of its network",
    "serviceofferingid": "the id of its service offering",
    "serviceofferingname": "the name of its service offering",
    "diskofferingid": "the id of its disk offering",
    "diskofferingname": "the name of its disk offering",
    "virtualmachineid": "the id of the virtual machine that uses it",
    "vmname": "the name of the virtual machine that uses it",
    "vmdisplayname": "the shown name of the virtual machine that uses it",
    "vmstate": "the state of the virtual machine that uses it",
    "storageid": "the id of the storage pool it lies in",
    "storage": "the name of the storage pool it lies in",
    "memorytotal": "how much memory there is, in bytes",
    "memoryallocated": "how much memory is given out, in bytes",
    "cpuallocated": "the share of the processors that is given out, with a percent sign",
    "ostypeid": "the id of its OS type",
    "instancename": "its name on the hypervisor",
    "resourceid": "the id of what it is about",
    "resourcetype": "the kind of what it is about",
    "resourcename": "the name of what it is about",
    "level": "how serious or how deep it is",
    "key": "the key of the tag",
    "value": "the value",
    "type": "what kind it is",
    "haenable": "whether it is started again elsewhere when its host fails",
    "affinitygroup": "the affinity groups it is in",
    "group": "the instance group it is in",
    "groupid": "the id of the instance group it is in",
    "percentused": "the share that is in use, in percent",
    "jobid": "the id of the latest job on it",
    "jobstatus": "the state of the latest job on it",
    "apikey": "the API key of the user",
    "roleid": "the id of its role",
    "rolename": "the name of its role",
    "issourcenat": "whether it is the network's way out",
    "hasrules": "whether there are rules on it",
    "path": "its path",
    "max": "how much is allowed; -1 is no limit",
}

PARTS = {
    "limit": "how much of it is allowed: ",
    "total": "how much of it is used: ",
    "available": "how much of it is left: ",
}


def type_of(name: str) -> str:
    """The type of a field, as listApis spells it."""
    return TYPES.get(name, "string")


def describe(name: str) -> str:
    """What a field holds, in our own words."""
    if name in DESCRIPTIONS:
        return DESCRIPTIONS[name]
    for ending, words in PARTS.items():
        if name.endswith(ending) and name.removesuffix(ending) in (*FIRST, *LATER, "project"):
            return words + name.removesuffix(ending)
    for ending, words in (("id", "the id of the "), ("name", "the name of the ")):
        if name.endswith(ending) and len(name) > len(ending) + 2:
            return words + name.removesuffix(ending)
    return f"the {name} of it"
